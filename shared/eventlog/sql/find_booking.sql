SELECT s.originator_id, s.topic, s.state, k.wrapped_key
  FROM stored_events s
  LEFT JOIN booking_keys k ON k.booking_id = s.booking_id
 WHERE s.booking_id = $1
 ORDER BY s.originator_version
