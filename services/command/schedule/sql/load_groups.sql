SELECT group_id, app_id, resource_id, start_at, end_at, auto_complete, is_open
  FROM due_groups
 WHERE group_id = ANY ($1::uuid[])
