SELECT originator_id FROM stored_events WHERE booking_id = $1 LIMIT 1
