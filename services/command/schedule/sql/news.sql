-- $1 after this position, $2 the topics that matter, $3 at most so many positions on
SELECT s.originator_id, s.topic, s.state
  FROM stored_events s
 WHERE s.notification_id > $1
   AND s.notification_id <= $1 + $3
   AND s.topic = ANY ($2::text[])
 ORDER BY s.notification_id
