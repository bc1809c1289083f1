-- $1 bookings; what happened to each, in order
SELECT s.booking_id, s.event_id, s.topic, s.state, s.metadata->>'actor'
  FROM stored_events s
 WHERE s.booking_id = ANY ($1::uuid[])
 ORDER BY s.notification_id
