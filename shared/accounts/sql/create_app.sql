-- $1 app_id, $2 name, $3 slug, $4 time_zone, $5 is_test
INSERT INTO apps (app_id, name, slug, time_zone, is_test)
VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT ON CONSTRAINT apps_slug_unique DO NOTHING
RETURNING app_id, name, slug, time_zone, is_test, created_at
