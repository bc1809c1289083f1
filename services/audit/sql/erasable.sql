-- $1 bookings; those that still have their key
SELECT booking_id
  FROM booking_keys
 WHERE booking_id = ANY ($1::uuid[])
