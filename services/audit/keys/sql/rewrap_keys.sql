-- $1 bookings, $2 their keys as they were read, $3 the same wrapped anew
UPDATE booking_keys k
   SET wrapped_key = n.anew
  FROM unnest($1::uuid[], $2::bytea[], $3::bytea[]) AS n(booking_id, old, anew)
 WHERE k.booking_id = n.booking_id
   AND k.wrapped_key = n.old
RETURNING k.booking_id
