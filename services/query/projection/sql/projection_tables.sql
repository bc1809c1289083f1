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
