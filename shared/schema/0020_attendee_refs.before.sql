-- Attendees (decision 0043): keyed hashes of their mailboxes, so that a person is found in bookings
-- that others made. They come with a booking's key and go with it, and are never in an event.
--
-- `customer_ref` of 17 bytes is a mailbox's hash and the rule's name; its booking's attendees are in
-- this table. Shorter ones are of the first rule; `seatledger customer index` makes them anew.

CREATE TABLE attendee_refs (
    booking_id uuid  NOT NULL,
    ref        bytea NOT NULL,  -- 16 bytes
    CONSTRAINT attendee_refs_pkey PRIMARY KEY (booking_id, ref)
);
CREATE INDEX attendee_refs_ref_idx ON attendee_refs (ref);
ALTER TABLE attendee_refs ALTER COLUMN ref SET STATISTICS 0;

-- A key is written with its attendees' hashes behind its customer's: here they part. Bookings
-- without attendees pay for nothing but the condition.
CREATE FUNCTION part_attendee_refs() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO attendee_refs (booking_id, ref)
    SELECT NEW.booking_id, substr(NEW.customer_ref, 18 + 16 * n, 16)
      FROM generate_series(0, (octet_length(NEW.customer_ref) - 17) / 16 - 1) AS n
        ON CONFLICT DO NOTHING;
    NEW.customer_ref := substr(NEW.customer_ref, 1, 17);
    RETURN NEW;
END
$$;
CREATE TRIGGER booking_keys_part_attendee_refs BEFORE INSERT ON booking_keys
    FOR EACH ROW WHEN (octet_length(NEW.customer_ref) > 17)
    EXECUTE FUNCTION part_attendee_refs();

CREATE FUNCTION forget_attendee_refs() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM attendee_refs WHERE booking_id = OLD.booking_id;
    RETURN NULL;
END
$$;
CREATE TRIGGER booking_keys_forget_attendee_refs AFTER DELETE ON booking_keys
    FOR EACH ROW EXECUTE FUNCTION forget_attendee_refs();

-- Whoever appends AttendeesErased, the booking's key goes: at once, as append() writes keys after
-- events, and the key under which the remaining people are sealed comes with the event.
CREATE FUNCTION erase_attendees() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM booking_keys WHERE booking_id = NEW.booking_id;
    PERFORM forget_answers(NEW.booking_id, NEW.originator_id);
    RETURN NULL;
END
$$;
CREATE TRIGGER stored_events_erase_attendees AFTER INSERT ON stored_events
    FOR EACH ROW WHEN (NEW.topic = 'seatledger.attendees_erased')
    EXECUTE FUNCTION erase_attendees();

-- As scrub_erased(), for a booking that goes on without some of its attendees.
CREATE FUNCTION scrub_attendees(named uuid, in_group uuid, remaining json) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    place    record;
    scrubbed bigint := 0;
    count    bigint;
BEGIN
    PERFORM forget_answers(named, in_group);
    FOR place IN
        SELECT c.oid::regclass AS name
          FROM pg_class c
          JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE n.nspname LIKE 'query\_v%' AND c.relkind = 'r' AND c.relname = 'attendees'
    LOOP
        EXECUTE format('UPDATE %s SET attendees = $2 WHERE booking_id = $1'
                       ' AND attendees::text <> $2::text', place.name) USING named, remaining;
        GET DIAGNOSTICS count = ROW_COUNT;
        scrubbed := scrubbed + count;
    END LOOP;
    RETURN scrubbed;
END
$$;
