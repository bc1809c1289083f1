-- The streams of groups $1 up to position $2, a group's events together and in order.
SELECT s.originator_id, s.topic, s.state, k.wrapped_key
  FROM stored_events s
  LEFT JOIN booking_keys k ON k.booking_id = s.booking_id
 WHERE s.originator_id = ANY ($1::uuid[])
   AND s.notification_id <= $2
 ORDER BY s.originator_id, s.originator_version
