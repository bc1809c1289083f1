-- A subscriber's own memory, in its own database: how far it has read, and each group's last version.
CREATE TABLE IF NOT EXISTS seatledger_subscribers (
    name          text   NOT NULL PRIMARY KEY,
    started_after bigint NOT NULL,  -- what happened up to here is not its concern
    read_up_to    bigint NOT NULL   -- everything up to here is handled, or is among the failures
);
CREATE TABLE IF NOT EXISTS seatledger_subscriber_groups (
    name     text   NOT NULL,
    group_id uuid   NOT NULL,
    version  bigint NOT NULL,       -- the last one handled
    position bigint NOT NULL,
    PRIMARY KEY (name, group_id)
);
CREATE TABLE IF NOT EXISTS seatledger_subscriber_failures (
    name     text        NOT NULL,
    event_id uuid        NOT NULL,
    group_id uuid        NOT NULL,
    position bigint      NOT NULL,
    attempts int         NOT NULL,
    reason   text        NOT NULL,
    retry_at timestamptz,           -- null: given up, a dead letter
    PRIMARY KEY (name, event_id)
);
