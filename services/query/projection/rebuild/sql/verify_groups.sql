-- The next groups of the ledger after $1, up to position $2, and about how many events each has.
SELECT s.originator_id,
       coalesce((SELECT c.version FROM seat_counts c WHERE c.group_id = s.originator_id), 0)
  FROM stored_events s
 WHERE s.originator_id > $1
   AND s.originator_version = 1
   AND s.notification_id <= $2
 ORDER BY s.originator_id
 LIMIT $3
