-- $1 after this position, $2 app or null, $3 since or null, $4 until or null, $5 topic or null,
-- $6 actor or null, $7 how many
SELECT s.notification_id, s.originator_id, s.originator_version, s.topic, s.state, s.event_id,
       s.booking_id, s.metadata, s.recorded_at, s.hash
  FROM stored_events s
 WHERE s.notification_id > $1
   AND ($2::uuid IS NULL OR $2 = (
        SELECT (convert_from(c.state, 'UTF8')::jsonb ->> 'app_id')::uuid
          FROM stored_events c
         WHERE c.originator_id = s.originator_id AND c.originator_version = 1))
   AND ($3::timestamptz IS NULL OR s.recorded_at >= $3)
   AND ($4::timestamptz IS NULL OR s.recorded_at <= $4)
   AND ($5::text IS NULL OR s.topic = $5)
   AND ($6::text IS NULL OR s.metadata ->> 'actor' = $6)
 ORDER BY s.notification_id
 LIMIT $7
