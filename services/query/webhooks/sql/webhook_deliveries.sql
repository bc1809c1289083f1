-- Webhook $2's deliveries of app $1, the newest first, before number $3, of status $4 (null: all).
SELECT d.delivery_id, d.number, d.event_id, d.booking_id, d.state, d.position, d.fired_at,
       d.status, d.attempts, d.due_at, d.answer, d.trouble, d.ended_at
  FROM webhook_deliveries d
  JOIN webhooks w ON w.webhook_id = d.webhook_id
 WHERE w.app_id = $1
   AND w.webhook_id = $2
   AND ($3::bigint IS NULL OR d.number < $3)
   AND ($4::text IS NULL OR d.status = $4)
 ORDER BY d.number DESC
 LIMIT $5
