-- $1 project_id, $2 app_id, $3 slug, $4 name, $5 booking, $6 ui, $7 customer_fields
INSERT INTO projects (project_id, app_id, slug, name, booking, ui, customer_fields)
VALUES ($1, $2, $3, $4, $5, $6, $7)
    ON CONFLICT ON CONSTRAINT projects_slug_unique DO NOTHING
RETURNING project_id
