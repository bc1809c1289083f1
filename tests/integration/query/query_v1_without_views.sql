-- The read models' schema as it was made before it had views of rows: what an upgrade finds.
CREATE SCHEMA query_v1;

-- One row a group: all a group shows but its seat count. `version` is of the last event on it.

CREATE TABLE groups (
    group_id      uuid        NOT NULL,
    app_id        uuid        NOT NULL,
    version       bigint      NOT NULL,
    state         text        NOT NULL,
    deleted       boolean     NOT NULL,
    created_at    timestamptz NOT NULL,
    updated_at    timestamptz NOT NULL,
    start_at      timestamptz NOT NULL,
    end_at        timestamptz NOT NULL,
    opens_at      timestamptz,           -- seats may be booked from then on; null: at once
    closes_at     timestamptz NOT NULL,  -- and until then
    time_zone     text        NOT NULL,
    resource_id   uuid        NOT NULL,
    project_id    uuid,
    calendar_id   uuid,
    bulk_id       uuid,
    auto_complete boolean     NOT NULL,
    what          text        NOT NULL,
    "where"       text        NOT NULL,
    description   text        NOT NULL,
    settings      json        NOT NULL,
    details       json        NOT NULL,  -- what was sealed: participants, invite, my_rsvp
    meta          json        NOT NULL,
    reminders     json        NOT NULL,
    webhooks      json        NOT NULL,
    CONSTRAINT groups_pkey PRIMARY KEY (group_id)
);
ALTER TABLE groups ALTER COLUMN details SET STATISTICS 0;  -- personal: see attendees

-- One narrow row a group, written by each of its events; `version` is how far it is projected.

CREATE TABLE seat_counts (
    group_id      uuid   NOT NULL,
    version       bigint NOT NULL,
    "position"    bigint NOT NULL,
    current_seats int    NOT NULL,
    max_seats     int    NOT NULL,
    CONSTRAINT seat_counts_pkey PRIMARY KEY (group_id)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05);

-- One row a seat booking. `ordinal` is the version of its SeatBooked: creation order in a group.
-- Personal data is in here in plain, and goes when the person is erased (decision 0009).

CREATE TABLE attendees (
    booking_id     uuid        NOT NULL,
    group_id       uuid        NOT NULL,
    app_id         uuid        NOT NULL,
    ordinal        bigint      NOT NULL,
    version        bigint      NOT NULL,  -- of the last event on it
    graph          text        NOT NULL,
    state          text        NOT NULL,
    seats          int         NOT NULL,
    deleted        boolean     NOT NULL,
    created_at     timestamptz NOT NULL,
    updated_at     timestamptz NOT NULL,
    hold_until     timestamptz,
    bulk_id        uuid,
    auto_complete  boolean     NOT NULL,
    customer       json,                  -- as `customers[]` shows it; null: erased
    customer_name  text,                  -- `searched_name`, for searching
    customer_email text,                  -- its mailbox, for searching
    attendees      json        NOT NULL,
    meta           json        NOT NULL,
    reminders      json        NOT NULL,
    webhooks       json        NOT NULL,
    CONSTRAINT attendees_pkey PRIMARY KEY (booking_id)
);
CREATE UNIQUE INDEX attendees_group_id_ordinal_idx ON attendees (group_id, ordinal);
-- No statistics of what is personal: erasing a person could not remove them from there.
ALTER TABLE attendees
    ALTER COLUMN customer SET STATISTICS 0,
    ALTER COLUMN customer_name SET STATISTICS 0,
    ALTER COLUMN customer_email SET STATISTICS 0,
    ALTER COLUMN attendees SET STATISTICS 0,
    ALTER COLUMN meta SET STATISTICS 0;

-- Where the projection stands, and what it had to set aside.

-- One row. Every batch moves it in its own transaction, and only while its epoch is the newest.
CREATE TABLE checkpoint (
    one        boolean     NOT NULL DEFAULT true,
    "position" bigint      NOT NULL DEFAULT 0,
    epoch      bigint      NOT NULL DEFAULT 0,
    moved_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT checkpoint_pkey PRIMARY KEY (one),
    CONSTRAINT checkpoint_is_one_row CHECK (one)
) WITH (fillfactor = 10, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
INSERT INTO checkpoint DEFAULT VALUES;

-- Groups that are not projected from `version` on: an event there could not be applied.
CREATE TABLE parked (
    group_id   uuid        NOT NULL,
    "position" bigint      NOT NULL,
    version    bigint      NOT NULL,
    topic      text        NOT NULL,
    reason     text        NOT NULL,
    parked_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT parked_pkey PRIMARY KEY (group_id)
);

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
