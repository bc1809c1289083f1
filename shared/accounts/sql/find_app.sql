-- $1 slug
SELECT app_id, name, slug, time_zone, is_test, created_at
  FROM apps
 WHERE slug = $1
