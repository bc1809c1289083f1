-- How often the group $1 was moved or cancelled by events of topics $2, as far as it is projected.
SELECT count(*)
  FROM groups g
  JOIN stored_events e ON e.booking_id = g.group_id AND e.originator_version <= g.version
 WHERE g.group_id = $1 AND e.topic = ANY ($2::text[])
