-- $1 group, $2 at most so many
SELECT s.notification_id, s.originator_id, s.originator_version, s.topic, s.state, s.event_id,
       s.booking_id, s.metadata, s.recorded_at, s.hash
  FROM parked_messages p
  JOIN stored_events s ON s.notification_id = p.position
 WHERE p.group_id = $1
 ORDER BY p.position
 LIMIT $2
