-- $1 slug
SELECT app_id
  FROM apps
 WHERE slug = $1
