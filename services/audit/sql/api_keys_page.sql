SELECT key_id, sealed_key
  FROM api_keys
 ORDER BY key_id
