-- $1 after this booking, $2 how many
SELECT booking_id, group_id, wrapped_key, customer_ref
  FROM booking_keys
 WHERE booking_id > $1
 ORDER BY booking_id
 LIMIT $2
