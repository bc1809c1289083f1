-- The seat bookings of groups, in creation order.
SELECT booking_id, group_id, ordinal, version, graph, state, seats, deleted, created_at,
       updated_at, hold_until, bulk_id, auto_complete, customer, customer_name, customer_email,
       attendees, meta, reminders, webhooks
  FROM attendees
 WHERE group_id = ANY ($1::uuid[])
   AND NOT deleted
 ORDER BY group_id, ordinal
