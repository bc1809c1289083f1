-- $1 app_id, $2 resource_id, $3 start, $4 end, $5 a group that does not count: itself
SELECT group_id
  FROM due_groups
 WHERE app_id = $1
   AND resource_id = $2
   AND is_open
   AND end_at > $3
   AND start_at < $4
   AND group_id <> $5
 LIMIT 1
