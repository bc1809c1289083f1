-- $1 after this webhook, $2 how many
SELECT webhook_id, sealed_secret
  FROM webhooks
 WHERE webhook_id > $1
   AND sealed_secret IS NOT NULL
 ORDER BY webhook_id
 LIMIT $2
