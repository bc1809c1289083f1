-- The bookings of an app ($1) as lists see them: groups and seat bookings alike.
-- `list_conditions.sql` has what is asked of them, and the order; then one page and the total.
WITH listed AS NOT MATERIALIZED (
    SELECT g.group_id AS booking_id, g.group_id, g.app_id, 'group_owner' AS graph, g.state,
           g.state <> 'tentative' AS is_completed, g.created_at, g.updated_at, g.start_at,
           g.end_at, g.opens_at, g.closes_at, g.resource_id, g.project_id, g.calendar_id, g.meta,
           NULL::json AS customer, NULL::text AS customer_name, NULL::text AS customer_email
      FROM groups g
     WHERE NOT g.deleted
     UNION ALL
    SELECT a.booking_id, a.group_id, a.app_id, a.graph, a.state,
           a.state NOT IN ('tentative', 'confirmed', 'paid'), a.created_at, a.updated_at,
           g.start_at, g.end_at, NULL, NULL, g.resource_id, g.project_id, g.calendar_id, a.meta,
           a.customer, a.customer_name, a.customer_email
      FROM attendees a
      JOIN groups g ON g.group_id = a.group_id
     WHERE NOT a.deleted
       AND NOT g.deleted
)
SELECT (SELECT count(*) FROM listed b WHERE {conditions}) AS total,
       ARRAY (SELECT b.booking_id
                FROM listed b
               WHERE {conditions}
               ORDER BY {order}
               LIMIT {limit} OFFSET {skip}) AS bookings
