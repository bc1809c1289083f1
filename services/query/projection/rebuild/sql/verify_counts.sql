SELECT g.group_id, c.version, g.state, g.deleted, c.current_seats, c.max_seats,
       (g.settings ->> 'max_seats')::int AS rule, g.start_at, g.end_at
  FROM groups g
  JOIN seat_counts c ON c.group_id = g.group_id
 WHERE g.group_id = ANY ($1::uuid[])
