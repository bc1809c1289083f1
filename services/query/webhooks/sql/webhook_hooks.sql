SELECT webhook_id, app_id, graph, state, since, resend_after, resend_until
  FROM webhooks
