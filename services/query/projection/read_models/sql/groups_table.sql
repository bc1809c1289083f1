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
