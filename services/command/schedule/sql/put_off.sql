-- $1 booking, $2 action, $3 when it is looked at again
UPDATE due_work SET due_at = $3 WHERE booking_id = $1 AND action = $2
