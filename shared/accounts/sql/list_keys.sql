-- $1 app slug, or null for all apps
SELECT k.key_id, a.slug AS app_slug, k.kind, k.hint, k.created_at, k.expires_at, k.revoked_at
  FROM api_keys k
  JOIN apps a USING (app_id)
 WHERE $1::text IS NULL OR a.slug = $1
 ORDER BY a.slug, k.created_at
