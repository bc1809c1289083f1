SELECT group_id, app_id, version, state, deleted, created_at, updated_at, start_at, end_at,
       opens_at, closes_at, time_zone, resource_id, project_id, calendar_id, bulk_id,
       auto_complete, what, "where", description, settings, details, meta, reminders, webhooks
  FROM groups
 WHERE group_id = ANY ($1::uuid[])
