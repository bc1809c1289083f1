-- $1 key_id; answers the time of the first revocation
UPDATE api_keys
   SET revoked_at = coalesce(revoked_at, clock_timestamp())
 WHERE key_id = $1
RETURNING revoked_at
