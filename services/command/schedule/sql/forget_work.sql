DELETE FROM due_work WHERE booking_id = $1 AND action = $2
