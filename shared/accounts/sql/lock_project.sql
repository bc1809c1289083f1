-- $1 app_id, $2 project_id; nobody else changes it until the transaction ends
SELECT project_id, app_id, slug, name, booking, ui, customer_fields
  FROM projects
 WHERE app_id = $1
   AND project_id = $2
   FOR UPDATE
