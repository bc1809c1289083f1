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
