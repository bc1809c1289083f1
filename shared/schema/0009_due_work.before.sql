-- Due work (decision 0011): what time itself will do to bookings. A read model of the log: it may be
-- emptied, with its checkpoint at 0, and is made again.

CREATE TABLE due_checkpoint (
    one      boolean NOT NULL DEFAULT true,
    position bigint  NOT NULL,
    CONSTRAINT due_checkpoint_pkey PRIMARY KEY (one),
    CONSTRAINT due_checkpoint_is_one_row CHECK (one)
) WITH (fillfactor = 10, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
INSERT INTO due_checkpoint (position) VALUES (0);

-- When groups are, while they are tentative: for their completion, and against double bookings.
CREATE TABLE due_groups (
    group_id      uuid        NOT NULL,
    app_id        uuid        NOT NULL,
    resource_id   uuid        NOT NULL,
    start_at      timestamptz NOT NULL,
    end_at        timestamptz NOT NULL,
    auto_complete boolean     NOT NULL,
    is_open       boolean     NOT NULL,  -- tentative: it still occupies its resource
    CONSTRAINT due_groups_pkey PRIMARY KEY (group_id)
);
CREATE INDEX due_groups_resource_idx ON due_groups (app_id, resource_id, end_at) WHERE is_open;

CREATE TABLE due_work (
    booking_id uuid        NOT NULL,
    action     text        NOT NULL,  -- complete, timeout
    group_id   uuid        NOT NULL,
    app_id     uuid        NOT NULL,
    due_at     timestamptz NOT NULL,
    CONSTRAINT due_work_pkey PRIMARY KEY (booking_id, action)
);
CREATE INDEX due_work_due_at_idx ON due_work (due_at);
CREATE INDEX due_work_group_id_idx ON due_work (group_id);
