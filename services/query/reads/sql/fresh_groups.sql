-- Each group as far as it is projected, and the events of its own that came since; its last event
-- is always among them, as it has the seat count.
SELECT w.group_id, c.version AS projected,
       e.versions, e.positions, e.topics, e.states, e.booking_ids, k.wrapped_key,
       g.group_id, g.app_id, g.version, g.state, g.deleted, g.created_at, g.updated_at, g.start_at,
       g.end_at, g.opens_at, g.closes_at, g.time_zone, g.resource_id, g.project_id,
       g.calendar_id, g.bulk_id, g.auto_complete, g.what, g."where", g.description, g.settings,
       g.details, g.meta, g.reminders, g.webhooks
  FROM unnest($1::uuid[]) AS w(group_id)
  LEFT JOIN seat_counts c ON c.group_id = w.group_id
  LEFT JOIN groups g ON g.group_id = w.group_id
 CROSS JOIN LATERAL (
       SELECT array_agg(n.originator_version ORDER BY n.originator_version) AS versions,
              array_agg(n.notification_id ORDER BY n.originator_version) AS positions,
              array_agg(n.topic ORDER BY n.originator_version) AS topics,
              array_agg(n.state ORDER BY n.originator_version) AS states,
              array_agg(n.booking_id ORDER BY n.originator_version) AS booking_ids
         FROM (SELECT s.originator_version, s.notification_id, s.topic, s.state, s.booking_id
                 FROM stored_events s
                WHERE s.booking_id = w.group_id
                  AND s.originator_version > coalesce(c.version, 0)
                UNION
               (SELECT s.originator_version, s.notification_id, s.topic, s.state, s.booking_id
                  FROM stored_events s
                 WHERE s.originator_id = w.group_id
                 ORDER BY s.originator_version DESC
                 LIMIT 1)) n
       ) e
  LEFT JOIN booking_keys k ON k.booking_id = w.group_id AND c.version IS NULL
