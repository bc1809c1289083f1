-- The last event of group $1 that was there at position $2 or at time $3: it has the seat count.
SELECT topic, state
  FROM stored_events
 WHERE originator_id = $1
   AND ($2::bigint IS NULL OR notification_id <= $2)
   AND ($3::timestamptz IS NULL OR recorded_at <= $3)
 ORDER BY originator_version DESC
 LIMIT 1
