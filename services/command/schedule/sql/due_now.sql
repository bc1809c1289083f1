-- $1 now, $2 at most so many; another worker's are skipped
SELECT booking_id, action, group_id, app_id, due_at
  FROM due_work
 WHERE due_at <= $1
 ORDER BY due_at, booking_id = group_id DESC, booking_id
 LIMIT $2
   FOR UPDATE SKIP LOCKED
