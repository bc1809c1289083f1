SELECT app_id, name, slug, time_zone, is_test, created_at
  FROM apps
 ORDER BY created_at, slug
