-- The webhooks of app $1, or that one ($2) of them.
SELECT webhook_id, name, url, graph, state, failures, paused_until, previous_until,
       resend_after, resend_until, created_at
  FROM webhooks
 WHERE app_id = $1
   AND ($2::uuid IS NULL OR webhook_id = $2)
 ORDER BY created_at, webhook_id
