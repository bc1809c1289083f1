SELECT notification_id, originator_id, originator_version, topic, state, event_id, booking_id,
       metadata, recorded_at, hash
  FROM stored_events
 WHERE notification_id > $1
 ORDER BY notification_id
 LIMIT $2
