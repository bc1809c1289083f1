-- The events after position $1, at most $2, each with the key that opens it if its topic is among
-- $3. A key that is not there is an erased person's.
SELECT e.notification_id, e.originator_id, e.originator_version, e.topic, e.state, e.booking_id,
       CASE WHEN e.topic = ANY ($3::text[])
            THEN (SELECT k.wrapped_key FROM booking_keys k WHERE k.booking_id = e.booking_id)
       END AS wrapped_key
  FROM stored_events e
 WHERE e.notification_id > $1
 ORDER BY e.notification_id
 LIMIT $2
