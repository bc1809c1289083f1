-- $1 app_id; the keys that may sign its action links, the newest first
SELECT key_id, sealed_key
  FROM api_keys
 WHERE app_id = $1
   AND kind = 'server'
   AND revoked_at IS NULL
   AND (expires_at IS NULL OR expires_at > clock_timestamp())
 ORDER BY created_at DESC
