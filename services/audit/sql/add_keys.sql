-- $1 booking_id, $2 group_id, $3 wrapped_key, $4 customer_ref: arrays
INSERT INTO booking_keys (booking_id, group_id, wrapped_key, customer_ref)
SELECT *
  FROM unnest($1::uuid[], $2::uuid[], $3::bytea[], $4::bytea[])
    ON CONFLICT ON CONSTRAINT booking_keys_pkey DO NOTHING
RETURNING booking_id
