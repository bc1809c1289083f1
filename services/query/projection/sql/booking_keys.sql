SELECT booking_id, wrapped_key FROM booking_keys WHERE booking_id = ANY ($1::uuid[])
