-- $1 app_id, $2 project ids
SELECT project_id, app_id, slug, name, booking, ui, customer_fields
  FROM projects
 WHERE app_id = $1
   AND project_id = ANY ($2::uuid[])
