-- $1 slug; with the newest widget key that holds, which the page needs, and the app's mode
SELECT p.project_id, p.app_id, p.slug, p.name, p.booking, p.ui, p.customer_fields,
       k.key_id, k.sealed_key, a.is_test
  FROM projects p
  JOIN apps a USING (app_id)
  LEFT JOIN LATERAL (
       SELECT key_id, sealed_key
         FROM api_keys
        WHERE app_id = p.app_id
          AND kind = 'widget'
          AND revoked_at IS NULL
          AND (expires_at IS NULL OR expires_at > clock_timestamp())
        ORDER BY created_at DESC
        LIMIT 1) k ON true
 WHERE p.slug = $1
