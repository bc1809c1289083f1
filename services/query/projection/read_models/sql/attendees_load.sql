SELECT * FROM seat_rows WHERE booking_id = ANY ($1::uuid[])
