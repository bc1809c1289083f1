-- $1 a group; its events in order, each with its booking's key
SELECT s.booking_id, s.topic, s.state, k.wrapped_key
  FROM stored_events s
  LEFT JOIN booking_keys k ON k.booking_id = s.booking_id
 WHERE s.originator_id = $1
 ORDER BY s.originator_version
