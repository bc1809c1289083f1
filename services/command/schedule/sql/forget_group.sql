-- $1 group, $2 the actions that nobody waits for any more
DELETE FROM due_work WHERE group_id = $1 AND action = ANY ($2::text[])
