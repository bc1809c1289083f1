INSERT INTO due_work (booking_id, action, group_id, app_id, due_at)
VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (booking_id, action) DO UPDATE
   SET due_at = excluded.due_at
