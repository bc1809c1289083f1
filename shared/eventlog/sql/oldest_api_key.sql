SELECT key_id, sealed_key
  FROM api_keys
 ORDER BY created_at, key_id
 LIMIT 1
