SELECT booking_id, group_id, ordinal, version, graph, state, seats, deleted, created_at,
       updated_at, hold_until, bulk_id, auto_complete, customer, customer_name, customer_email,
       attendees, meta, reminders, webhooks
  FROM attendees
 WHERE booking_id = ANY ($1::uuid[])
