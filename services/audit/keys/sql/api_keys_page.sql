-- $1 after this key, $2 how many, or null for all
SELECT key_id, sealed_key
  FROM api_keys
 WHERE key_id > $1
 ORDER BY key_id
 LIMIT $2
