-- $1 app_id, or null for all apps
SELECT p.project_id, p.app_id, p.slug, p.name, p.booking, p.ui, p.customer_fields
  FROM projects p
 WHERE $1::uuid IS NULL OR p.app_id = $1
 ORDER BY p.created_at, p.slug
