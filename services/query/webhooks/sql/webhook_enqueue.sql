-- $1 deliveries, $2 webhooks, $3 events, $4 bookings, $5 states, $6 positions, $7 times: once each.
INSERT INTO webhook_deliveries (delivery_id, webhook_id, event_id, booking_id, state, position,
                                fired_at, give_up_at)
SELECT n.delivery_id, n.webhook_id, n.event_id, n.booking_id, n.state, n.position, n.fired_at,
       clock_timestamp() + interval '3 days'
  FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::bigint[],
              $7::timestamptz[]) WITH ORDINALITY
       AS n(delivery_id, webhook_id, event_id, booking_id, state, position, fired_at, place)
  JOIN webhooks USING (webhook_id)
 ORDER BY n.place
    ON CONFLICT (delivery_id) DO NOTHING
