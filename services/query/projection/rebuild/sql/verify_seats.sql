SELECT group_id, booking_id, state, seats, deleted, customer, attendees, meta
  FROM attendees
 WHERE group_id = ANY ($1::uuid[])
 ORDER BY group_id, ordinal
