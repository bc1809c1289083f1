-- $1 key_id, $2 app_id, $3 kind, $4 key_hash, $5 sealed_key, $6 hint, $7 expires_at
INSERT INTO api_keys (key_id, app_id, kind, key_hash, sealed_key, hint, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7)
    ON CONFLICT ON CONSTRAINT api_keys_key_hash_unique DO NOTHING
RETURNING key_id
