-- Asks for history after position $3 once more; what was asked for before and is not done, too.
UPDATE webhooks
   SET resend_after = least($3::bigint, resend_after, head.position),
       resend_until = head.position
  FROM log_head head
 WHERE app_id = $1
   AND webhook_id = $2
RETURNING resend_after, resend_until
