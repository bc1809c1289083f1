-- Who is to be told of what: one row for each event and booking, ids and no address. What ended says
-- how; old rows may be deleted.
CREATE TABLE IF NOT EXISTS attendee_mails (
    subscriber text NOT NULL,
    event_id uuid NOT NULL,
    booking_id uuid NOT NULL,
    position bigint NOT NULL,
    event text NOT NULL,
    data jsonb NOT NULL,
    made_at timestamptz NOT NULL DEFAULT now(),
    attempts integer NOT NULL DEFAULT 0,
    next_try_at timestamptz NOT NULL DEFAULT now(),
    ended_at timestamptz,
    outcome text,
    CONSTRAINT attendee_mails_pkey PRIMARY KEY (subscriber, event_id, booking_id)
);
CREATE INDEX IF NOT EXISTS attendee_mails_waiting
    ON attendee_mails (subscriber, position)
 WHERE ended_at IS NULL;
CREATE INDEX IF NOT EXISTS attendee_mails_waiting_of_a_booking
    ON attendee_mails (subscriber, booking_id, position)
 WHERE ended_at IS NULL;
