-- Writes whole rows, one array a column; the app is the group's.
INSERT INTO attendees (booking_id, group_id, app_id, ordinal, version, graph, state, seats,
                       deleted, created_at, updated_at, hold_until, bulk_id, auto_complete,
                       customer, customer_name, customer_email, attendees, meta, reminders,
                       webhooks)
SELECT n.booking_id, n.group_id, g.app_id, n.ordinal, n.version, n.graph, n.state, n.seats,
       n.deleted, n.created_at, n.updated_at, n.hold_until, n.bulk_id, n.auto_complete,
       n.customer, n.customer_name, n.customer_email, n.attendees, n.meta, n.reminders, n.webhooks
  FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[], $5::text[], $6::text[],
              $7::int[], $8::boolean[], $9::timestamptz[], $10::timestamptz[],
              $11::timestamptz[], $12::uuid[], $13::boolean[], $14::json[], $15::text[],
              $16::text[], $17::json[], $18::json[], $19::json[], $20::json[])
       AS n(booking_id, group_id, ordinal, version, graph, state, seats, deleted, created_at,
            updated_at, hold_until, bulk_id, auto_complete, customer, customer_name,
            customer_email, attendees, meta, reminders, webhooks)
  LEFT JOIN groups g ON g.group_id = n.group_id
    ON CONFLICT (booking_id) DO UPDATE
   SET version = excluded.version,
       state = excluded.state,
       seats = excluded.seats,
       deleted = excluded.deleted,
       updated_at = excluded.updated_at,
       hold_until = excluded.hold_until,
       customer = excluded.customer,
       customer_name = excluded.customer_name,
       customer_email = excluded.customer_email,
       attendees = excluded.attendees,
       meta = excluded.meta,
       reminders = excluded.reminders,
       webhooks = excluded.webhooks
