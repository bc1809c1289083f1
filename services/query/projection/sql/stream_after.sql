-- Group $1's events after version $2, up to position $3.
SELECT notification_id, originator_id, originator_version, topic, state, event_id, booking_id,
       metadata, recorded_at, hash
  FROM stored_events
 WHERE originator_id = $1
   AND originator_version > $2
   AND notification_id <= $3
 ORDER BY originator_version
 LIMIT $4
