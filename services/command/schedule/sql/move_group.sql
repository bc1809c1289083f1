-- $1 group, $2 when its bookings complete from now on
UPDATE due_work SET due_at = $2 WHERE group_id = $1 AND action = 'complete'
