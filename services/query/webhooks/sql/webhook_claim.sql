-- Takes what is due, for $4 seconds: of a webhook at most $1 at once, of one that fails ($2 times
-- in a row) one, of an app $5, and of all together $3, those first whose app has the fewest under
-- way. Whoever took it and is gone loses it after that time.
WITH working AS (
    SELECT w.webhook_id, w.app_id, w.failures,
           (SELECT count(*)
              FROM webhook_deliveries f
             WHERE f.webhook_id = w.webhook_id
               AND f.status = 'waiting'
               AND f.leased_until > clock_timestamp()) AS under_way
      FROM webhooks w
     WHERE EXISTS (SELECT
                     FROM webhook_deliveries c
                    WHERE c.webhook_id = w.webhook_id
                      AND c.status = 'waiting')
),
apps_working AS (
    SELECT app_id, sum(under_way) AS under_way
      FROM working
     GROUP BY app_id
),
due AS (
    SELECT d.delivery_id, d.due_at, d.number,
           a.under_way
           + row_number() OVER (PARTITION BY app_id ORDER BY d.due_at, d.number) AS turn
      FROM working
      JOIN webhooks w USING (webhook_id, app_id)
      JOIN apps_working a USING (app_id)
     CROSS JOIN LATERAL (
           SELECT c.delivery_id, c.due_at, c.number
             FROM webhook_deliveries c
            WHERE c.webhook_id = w.webhook_id
              AND c.status = 'waiting'
              AND c.due_at <= clock_timestamp()
            ORDER BY c.due_at, c.number
            LIMIT greatest(0, CASE WHEN w.failures >= $2 THEN 1 ELSE $1 END - working.under_way)
           ) d
     WHERE w.paused_until IS NULL OR w.paused_until <= clock_timestamp()
),
chosen AS (
    SELECT c.delivery_id
      FROM due
      JOIN webhook_deliveries c USING (delivery_id)
     WHERE due.turn <= $5
       AND c.status = 'waiting'
       AND c.due_at <= clock_timestamp()
     ORDER BY due.turn, due.due_at, due.number
     LIMIT $3
       FOR UPDATE OF c SKIP LOCKED
)
UPDATE webhook_deliveries d
   SET attempts = d.attempts + 1,
       leased_until = clock_timestamp() + make_interval(secs => $4),
       due_at = clock_timestamp() + make_interval(secs => $4)
  FROM chosen, webhooks w, apps a
 WHERE d.delivery_id = chosen.delivery_id
   AND w.webhook_id = d.webhook_id
   AND a.app_id = w.app_id
RETURNING d.delivery_id, d.webhook_id, w.app_id, a.time_zone, w.name, w.url, d.event_id,
          d.booking_id, d.state, d.fired_at, d.attempts, w.failures, w.sealed_secret,
          CASE WHEN w.previous_until > clock_timestamp() THEN w.previous_secret END
          AS previous_secret
