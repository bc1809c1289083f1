-- Worker $4 of $3: its groups' events after position $1, up to $2, at most $5, each with the key
-- that opens it if its topic is among $6.
SELECT e.notification_id, e.originator_id, e.originator_version, e.topic, e.state, e.booking_id,
       CASE WHEN e.topic = ANY ($6::text[])
            THEN (SELECT k.wrapped_key FROM booking_keys k WHERE k.booking_id = e.booking_id)
       END AS wrapped_key
  FROM stored_events e
 WHERE e.notification_id > $1
   AND e.notification_id <= $2
   AND get_byte(uuid_send(e.originator_id), 15) % $3 = $4
 ORDER BY e.notification_id
 LIMIT $5
