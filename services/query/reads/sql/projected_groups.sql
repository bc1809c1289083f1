-- Groups and their seat counts, as far as they are projected.
SELECT g.group_id, g.app_id, g.version, g.state, g.deleted, g.created_at, g.updated_at, g.start_at,
       g.end_at, g.opens_at, g.closes_at, g.time_zone, g.resource_id, g.project_id,
       g.calendar_id, g.bulk_id, g.auto_complete, g.what, g."where", g.description, g.settings,
       g.details, g.meta, g.reminders, g.webhooks, c.current_seats
  FROM groups g
  JOIN seat_counts c ON c.group_id = g.group_id
 WHERE g.group_id = ANY ($1::uuid[])
