INSERT INTO due_groups (group_id, app_id, resource_id, start_at, end_at, auto_complete, is_open)
VALUES ($1, $2, $3, $4, $5, $6, $7)
    ON CONFLICT (group_id) DO UPDATE
   SET start_at = excluded.start_at, end_at = excluded.end_at, is_open = excluded.is_open
