-- $1 after this position, $2 up to this one, $3 how many; the columns that the hash chain covers
SELECT notification_id, originator_id, originator_version, topic, state, event_id, booking_id,
       metadata, recorded_at, hash
  FROM stored_events
 WHERE notification_id > $1
   AND notification_id <= $2
 ORDER BY notification_id
 LIMIT $3
