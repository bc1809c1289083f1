-- $1 app, $2 webhook, $3 the new secret, sealed; the old one signs beside it for $4.
UPDATE webhooks
   SET previous_secret = sealed_secret,
       previous_until = clock_timestamp() + $4::interval,
       sealed_secret = $3
 WHERE app_id = $1
   AND webhook_id = $2
RETURNING previous_until
