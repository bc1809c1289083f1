-- The next groups of the ledger after $1, up to position $2.
SELECT originator_id
  FROM stored_events
 WHERE originator_id > $1
   AND originator_version = 1
   AND notification_id <= $2
 ORDER BY originator_id
 LIMIT $3
