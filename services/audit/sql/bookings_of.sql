-- $1 customer_refs, $2 app or null; the bookings of a customer who was not erased
SELECT k.booking_id, k.group_id
  FROM booking_keys k
  JOIN stored_events c ON c.originator_id = k.group_id AND c.originator_version = 1
 WHERE k.customer_ref = ANY ($1::bytea[])
   AND ($2::uuid IS NULL OR $2 = (convert_from(c.state, 'UTF8')::jsonb ->> 'app_id')::uuid)
 ORDER BY c.notification_id, k.booking_id
