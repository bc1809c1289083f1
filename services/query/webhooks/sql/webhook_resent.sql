-- Webhook $1 is done with history up to $2, unless older history was asked for meanwhile ($3).
UPDATE webhooks
   SET resend_after = CASE WHEN $2::bigint < resend_until THEN $2 END,
       resend_until = CASE WHEN $2 < resend_until THEN resend_until END
 WHERE webhook_id = $1
   AND resend_after = $3
