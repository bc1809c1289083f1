DELETE FROM webhooks
 WHERE app_id = $1
   AND webhook_id = $2
RETURNING webhook_id
