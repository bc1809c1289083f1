-- $1 bookings; those that have a key, as long as they are not erased
SELECT booking_id
  FROM booking_keys
 WHERE booking_id = ANY ($1::uuid[])
