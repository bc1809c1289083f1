-- $1 webhooks, $2 sealed as they were read, $3 the same sealed anew
UPDATE webhooks w
   SET previous_secret = n.anew
  FROM unnest($1::uuid[], $2::bytea[], $3::bytea[]) AS n(webhook_id, old, anew)
 WHERE w.webhook_id = n.webhook_id
   AND w.previous_secret = n.old
RETURNING w.webhook_id
