-- What only readers need: made with the tables, or once a rebuild has filled them.
CREATE INDEX IF NOT EXISTS groups_app_id_created_at_idx ON groups (app_id, created_at DESC);
CREATE INDEX IF NOT EXISTS groups_app_id_start_at_idx ON groups (app_id, start_at)
    WHERE state = 'tentative';
CREATE INDEX IF NOT EXISTS groups_project_id_idx ON groups (project_id)
    WHERE project_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS groups_bulk_id_idx ON groups (bulk_id) WHERE bulk_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS attendees_app_id_created_at_idx ON attendees (app_id, created_at DESC);
CREATE INDEX IF NOT EXISTS attendees_customer_email_idx ON attendees (app_id, customer_email);
CREATE INDEX IF NOT EXISTS attendees_bulk_id_idx ON attendees (bulk_id)
    WHERE bulk_id IS NOT NULL;
