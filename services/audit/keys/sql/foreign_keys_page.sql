-- $1 after this booking, $2 the fingerprint that keys should have, $3 how many
SELECT booking_id, wrapped_key
  FROM booking_keys
 WHERE booking_id > $1
   AND substring(wrapped_key FROM 1 FOR 4) <> $2
 ORDER BY booking_id
 LIMIT $3
