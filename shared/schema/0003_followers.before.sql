-- Who follows the log in terms: its newest epoch, how far it is, and what it is waiting for.

CREATE TABLE followers (
    name       text        NOT NULL,
    epoch      bigint      NOT NULL,  -- taken anew by every leader; a write under an older one is refused
    checkpoint bigint      NOT NULL,  -- everything up to this position is done
    trouble    text,                  -- why it does not get on, for people; NULL when it does
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT followers_pkey PRIMARY KEY (name)
) WITH (fillfactor = 10, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

-- Events whose messages the broker refuses for their content, or that cannot be rendered, and the
-- later ones of the same group: they wait here, so that the group's order holds and others go on.
CREATE TABLE parked_messages (
    position     bigint      NOT NULL,
    group_id     uuid        NOT NULL,
    event_id     uuid        NOT NULL,
    topic        text        NOT NULL,
    reason       text        NOT NULL,
    retry_wanted boolean     NOT NULL DEFAULT false,
    parked_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT parked_messages_pkey PRIMARY KEY (position)
);
CREATE INDEX parked_messages_group_id_idx ON parked_messages (group_id, position);
