-- Delivery $1 failed with status $2 for reason $3: again in $4 seconds, unless its time is over.
-- Its webhook is left alone for $5 seconds, if any; $6: the fault was its own; $7: for good.
WITH failing AS (
    UPDATE webhooks w
       SET failures = w.failures + 1,
           paused_until = clock_timestamp() + make_interval(secs => $5)
      FROM webhook_deliveries d
     WHERE d.delivery_id = $1
       AND $6
       AND w.webhook_id = d.webhook_id
)
UPDATE webhook_deliveries
   SET status = CASE WHEN NOT $7 AND clock_timestamp() < give_up_at
                     THEN 'waiting' ELSE 'given_up' END,
       ended_at = CASE WHEN NOT $7 AND clock_timestamp() < give_up_at
                       THEN NULL ELSE clock_timestamp() END,
       due_at = clock_timestamp() + make_interval(secs => $4),
       leased_until = NULL,
       answer = $2,
       trouble = $3
 WHERE delivery_id = $1
RETURNING status
