-- The ledger: the eventsourcing library's table with our columns, the log head, the booking keys.

CREATE TABLE stored_events (
    originator_id      uuid        NOT NULL,  -- the group
    originator_version bigint      NOT NULL,  -- 1..n in the group's stream
    topic              text        NOT NULL,
    state              bytea       NOT NULL,
    notification_id    bigint      NOT NULL,  -- the dense position; no default, so a stock writer fails
    event_id           uuid        NOT NULL,
    booking_id         uuid        NOT NULL,  -- the seat booking, or the group itself
    metadata           jsonb       NOT NULL DEFAULT '{}',
    recorded_at        timestamptz NOT NULL,
    hash               bytea       NOT NULL,
    CONSTRAINT stored_events_pkey PRIMARY KEY (originator_id, originator_version)
) WITH (autovacuum_vacuum_insert_scale_factor = 0.2, autovacuum_analyze_scale_factor = 0.05);

CREATE UNIQUE INDEX stored_events_notification_id_idx ON stored_events (notification_id);
CREATE UNIQUE INDEX stored_events_event_id_idx ON stored_events (event_id);
CREATE INDEX stored_events_booking_id_idx ON stored_events (booking_id);

-- One row, updated by every append: locked first, so that the log's order is the commit order.
CREATE TABLE log_head (
    one      boolean NOT NULL DEFAULT true,
    position bigint  NOT NULL,
    hash     bytea   NOT NULL,
    CONSTRAINT log_head_pkey PRIMARY KEY (one),
    CONSTRAINT log_head_is_one_row CHECK (one)
) WITH (fillfactor = 10, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

INSERT INTO log_head (position, hash) VALUES (0, decode(repeat('00', 32), 'hex'));

-- A booking's key, wrapped by the master key. Deleting the row erases the person (decision 0009).
CREATE TABLE booking_keys (
    booking_id   uuid  NOT NULL,
    group_id     uuid  NOT NULL,
    wrapped_key  bytea NOT NULL,
    customer_ref bytea,
    CONSTRAINT booking_keys_pkey PRIMARY KEY (booking_id)
);
CREATE INDEX booking_keys_group_id_idx ON booking_keys (group_id);
CREATE INDEX booking_keys_customer_ref_idx ON booking_keys (customer_ref)
    WHERE customer_ref IS NOT NULL;

-- The first answer to a command with an Idempotency-Key: sealed, replayed byte for byte.
CREATE TABLE command_answers (
    command_id   uuid        NOT NULL,
    booking_id   uuid        NOT NULL,  -- whose key sealed the answer
    request_hash bytea       NOT NULL,  -- keyed
    answer       bytea       NOT NULL,
    answered_at  timestamptz NOT NULL,
    CONSTRAINT command_answers_pkey PRIMARY KEY (command_id)
);
CREATE INDEX command_answers_answered_at_idx ON command_answers (answered_at);
CREATE INDEX command_answers_booking_id_idx ON command_answers (booking_id);

-- Folded groups, columnar and binary: only a shortcut, any row may be deleted at any time.
CREATE TABLE stored_snapshots (
    originator_id      uuid   NOT NULL,
    originator_version bigint NOT NULL,
    topic              text   NOT NULL,
    state              bytea  NOT NULL,
    CONSTRAINT stored_snapshots_pkey PRIMARY KEY (originator_id, originator_version)
);
ALTER TABLE stored_snapshots ALTER COLUMN state SET STORAGE EXTERNAL;
