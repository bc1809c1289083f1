-- Seat bookings that were refused: how many of each group, and the newest of them. Nothing says who
-- asked. A group has at most 1,000 rows for each rule that refuses, whatever happens: a new one
-- takes the place of the oldest.

CREATE TABLE refusal_counts (
    group_id uuid        NOT NULL,
    code     text        NOT NULL,  -- the rule that decided
    app_id   uuid        NOT NULL,
    requests bigint      NOT NULL,
    seats    bigint      NOT NULL,  -- asked for, by all of them together
    kept     bigint      NOT NULL,  -- how many were ever written to `refusals`
    first_at timestamptz NOT NULL,
    last_at  timestamptz NOT NULL,
    CONSTRAINT refusal_counts_pkey PRIMARY KEY (group_id, code)
) WITH (fillfactor = 70);

CREATE TABLE refusals (
    group_id   uuid        NOT NULL,
    code       text        NOT NULL,
    place      smallint    NOT NULL,
    app_id     uuid        NOT NULL,
    booking_id uuid        NOT NULL,  -- which the booking would have had
    graph      text        NOT NULL,
    seats      bigint      NOT NULL,  -- asked for
    seats_free bigint      NOT NULL,  -- left when it was decided
    version    bigint      NOT NULL,  -- of the group, then
    refused_at timestamptz NOT NULL,
    CONSTRAINT refusals_pkey PRIMARY KEY (group_id, code, place),
    CONSTRAINT refusals_are_bounded CHECK (place BETWEEN 0 AND 999)
);
CREATE INDEX refusals_booking_id_idx ON refusals (booking_id);
CREATE INDEX refusals_refused_at_idx ON refusals (refused_at);
