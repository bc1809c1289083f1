-- Apps (tenants) and their API keys (decision 0015): a key is looked up by its keyed hash and kept
-- sealed, because action links are signed with it. Its text is shown once and stored nowhere.

CREATE TABLE apps (
    app_id     uuid        NOT NULL,
    name       text        NOT NULL,
    slug       text        NOT NULL,
    time_zone  text        NOT NULL,
    is_test    boolean     NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT apps_pkey PRIMARY KEY (app_id),
    CONSTRAINT apps_slug_unique UNIQUE (slug)
);

CREATE TABLE api_keys (
    key_id     uuid        NOT NULL,
    app_id     uuid        NOT NULL,
    kind       text        NOT NULL,
    key_hash   bytea       NOT NULL,  -- HMAC-SHA256 under the master key
    sealed_key bytea       NOT NULL,  -- AES-GCM under the master key, bound to key_id
    hint       text        NOT NULL,  -- the name's beginning and the last four characters
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at timestamptz,
    revoked_at timestamptz,
    CONSTRAINT api_keys_pkey PRIMARY KEY (key_id),
    CONSTRAINT api_keys_app_id_fkey FOREIGN KEY (app_id) REFERENCES apps (app_id),
    CONSTRAINT api_keys_key_hash_unique UNIQUE (key_hash),
    CONSTRAINT api_keys_kind_is_known CHECK (kind IN ('server', 'widget'))
);
CREATE INDEX api_keys_app_id_idx ON api_keys (app_id);
