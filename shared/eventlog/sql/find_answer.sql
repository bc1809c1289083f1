SELECT a.booking_id, a.request_hash, a.answer, k.wrapped_key
  FROM command_answers a
  LEFT JOIN booking_keys k ON k.booking_id = a.booking_id
 WHERE a.command_id = $1
