-- $1 app_id
SELECT true
  FROM api_keys
 WHERE app_id = $1
   AND kind = 'widget'
   AND revoked_at IS NULL
   AND (expires_at IS NULL OR expires_at > clock_timestamp())
 LIMIT 1
