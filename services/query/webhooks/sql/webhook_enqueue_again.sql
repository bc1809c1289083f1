-- As webhook_enqueue, but what was delivered or given up starts anew, under its old id.
INSERT INTO webhook_deliveries (delivery_id, webhook_id, event_id, booking_id, state, position,
                                fired_at, give_up_at)
SELECT n.delivery_id, n.webhook_id, n.event_id, n.booking_id, n.state, n.position, n.fired_at,
       clock_timestamp() + interval '3 days'
  FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::bigint[],
              $7::timestamptz[]) WITH ORDINALITY
       AS n(delivery_id, webhook_id, event_id, booking_id, state, position, fired_at, place)
  JOIN webhooks USING (webhook_id)
 ORDER BY n.place
    ON CONFLICT (delivery_id) DO UPDATE
   SET status = 'waiting',
       attempts = 0,
       due_at = clock_timestamp(),
       give_up_at = excluded.give_up_at,
       ended_at = NULL
