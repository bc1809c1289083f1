-- $1 a booking; the events that name it
SELECT notification_id, originator_id, originator_version, topic, state, event_id, booking_id,
       metadata, recorded_at, hash
  FROM stored_events
 WHERE booking_id = $1
 ORDER BY notification_id
