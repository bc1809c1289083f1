-- $1 the group
SELECT notification_id, originator_id, originator_version, topic, state, event_id, booking_id,
       metadata, recorded_at, hash
  FROM stored_events
 WHERE originator_id = $1
 ORDER BY originator_version
