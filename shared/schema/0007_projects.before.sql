-- Projects: what a booking page loads (contract section 11). The hosted page knows only the slug and
-- sends no key, so slugs are unique across apps.

CREATE TABLE projects (
    project_id      uuid        NOT NULL,
    app_id          uuid        NOT NULL,
    slug            text        NOT NULL,
    name            text        NOT NULL,
    booking         json        NOT NULL,  -- json, not jsonb: pages show fields in the order given
    ui              json        NOT NULL,
    customer_fields json        NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT projects_pkey PRIMARY KEY (project_id),
    CONSTRAINT projects_app_id_fkey FOREIGN KEY (app_id) REFERENCES apps (app_id),
    CONSTRAINT projects_slug_unique UNIQUE (slug)
);
CREATE INDEX projects_app_id_idx ON projects (app_id, created_at);
