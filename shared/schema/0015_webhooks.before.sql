-- Webhooks: which URL hears of which state of which graph, and what it is still to hear. A delivery
-- names a booking and holds nothing of it: its body is made when it is sent (decision 0009).

CREATE TABLE webhooks (
    webhook_id      uuid        NOT NULL,
    app_id          uuid        NOT NULL,
    name            text        NOT NULL,
    url             text        NOT NULL,
    graph           text        NOT NULL,
    state           text        NOT NULL,
    sealed_secret   bytea       NOT NULL,  -- AES-GCM under the master key, bound to webhook_id
    previous_secret bytea,                 -- the one before it, which signs too
    previous_until  timestamptz,           -- until then
    since           bigint      NOT NULL,  -- it hears of events after this position
    failures        int         NOT NULL DEFAULT 0,  -- in a row
    paused_until    timestamptz,           -- it failed so often that it is left alone until then
    resend_after    bigint,                -- history to be sent again: after this position
    resend_until    bigint,                -- and up to that one
    created_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT webhooks_pkey PRIMARY KEY (webhook_id),
    CONSTRAINT webhooks_app_id_fkey FOREIGN KEY (app_id) REFERENCES apps (app_id)
);
CREATE INDEX webhooks_app_id_idx ON webhooks (app_id, created_at);

CREATE TABLE webhook_deliveries (
    delivery_id  uuid        NOT NULL,  -- uuid5(webhook, event, booking): the same for ever
    number       bigint      NOT NULL GENERATED ALWAYS AS IDENTITY,
    webhook_id   uuid        NOT NULL,
    event_id     uuid        NOT NULL,
    booking_id   uuid        NOT NULL,
    state        text        NOT NULL,  -- the state it entered
    position     bigint      NOT NULL,
    fired_at     timestamptz NOT NULL,
    status       text        NOT NULL DEFAULT 'waiting',
    attempts     int         NOT NULL DEFAULT 0,
    due_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    give_up_at   timestamptz NOT NULL,
    leased_until timestamptz,           -- someone is sending it; past that, whoever did is gone
    answer       int,                   -- the HTTP status of the last attempt
    trouble      text,                  -- why the last attempt failed
    ended_at     timestamptz,
    CONSTRAINT webhook_deliveries_pkey PRIMARY KEY (delivery_id),
    CONSTRAINT webhook_deliveries_webhook_id_fkey
        FOREIGN KEY (webhook_id) REFERENCES webhooks (webhook_id) ON DELETE CASCADE,
    CONSTRAINT webhook_deliveries_status_is_known
        CHECK (status IN ('waiting', 'delivered', 'given_up', 'skipped'))
) WITH (fillfactor = 70);
CREATE INDEX webhook_deliveries_due_idx ON webhook_deliveries (webhook_id, due_at, number)
    WHERE status = 'waiting';
CREATE INDEX webhook_deliveries_number_idx ON webhook_deliveries (webhook_id, number);
CREATE INDEX webhook_deliveries_ended_at_idx ON webhook_deliveries (ended_at)
    WHERE ended_at IS NOT NULL;
