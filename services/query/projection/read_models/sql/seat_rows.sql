-- A seat booking as it is read: all of its row but whose its group is.
CREATE OR REPLACE VIEW seat_rows AS
SELECT booking_id, group_id, ordinal, version, graph, state, seats, deleted, created_at,
       updated_at, hold_until, bulk_id, auto_complete, customer, customer_name, customer_email,
       attendees, meta, reminders, webhooks
  FROM attendees
