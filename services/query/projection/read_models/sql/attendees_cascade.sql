-- An owner's cancel or completion moves a group's live seat bookings that stand before it.
-- $1 groups, $2 versions and $3 times of the event, $4 the state reached.
UPDATE attendees a
   SET state = c.state, version = c.version, updated_at = c.at, hold_until = NULL
  FROM unnest($1::uuid[], $2::bigint[], $3::timestamptz[], $4::text[])
       AS c(group_id, version, at, state)
 WHERE a.group_id = c.group_id
   AND a.version < c.version
   AND (a.state IN ('confirmed', 'paid')
        OR (a.state = 'tentative' AND c.state = 'cancelled_by_owner'))
