-- Delivery $1 is over: $2 delivered or skipped, $3 the HTTP status, $4 why not.
WITH working AS (
    UPDATE webhooks w
       SET failures = 0, paused_until = NULL
      FROM webhook_deliveries d
     WHERE d.delivery_id = $1
       AND $2 = 'delivered'
       AND w.webhook_id = d.webhook_id
       AND w.failures > 0
)
UPDATE webhook_deliveries
   SET status = $2, answer = $3, trouble = $4, ended_at = clock_timestamp(), leased_until = NULL
 WHERE delivery_id = $1
