-- $1 keyed hashes; only keys that hold now. seconds_left is null for a key that never expires.
SELECT k.key_hash, k.key_id, k.kind, a.app_id, a.slug, a.time_zone, a.is_test,
       extract(epoch FROM k.expires_at - clock_timestamp())::float8 AS seconds_left
  FROM api_keys k
  JOIN apps a USING (app_id)
 WHERE k.key_hash = ANY ($1::bytea[])
   AND k.revoked_at IS NULL
   AND (k.expires_at IS NULL OR k.expires_at > clock_timestamp())
