-- $1 customer_refs, $2 attendee's ref, $3 app or null; bookings that may name a person
SELECT k.booking_id, k.group_id
  FROM booking_keys k
  JOIN stored_events c ON c.originator_id = k.group_id AND c.originator_version = 1
 WHERE k.booking_id IN (
       SELECT m.booking_id FROM booking_keys m WHERE m.customer_ref = ANY ($1::bytea[])
        UNION
       SELECT a.booking_id FROM attendee_refs a WHERE a.ref = $2)
   AND ($3::uuid IS NULL OR $3 = (convert_from(c.state, 'UTF8')::jsonb ->> 'app_id')::uuid)
 ORDER BY c.notification_id, k.booking_id
