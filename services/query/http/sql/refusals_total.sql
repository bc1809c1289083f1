SELECT count(*) FROM refusals WHERE group_id = $1
