-- $1 project_id, $2 app_id, $3 slug, $4 name, $5 booking, $6 ui, $7 customer_fields
UPDATE projects
   SET slug = $3, name = $4, booking = $5, ui = $6, customer_fields = $7
 WHERE project_id = $1
   AND app_id = $2
RETURNING project_id
