-- Erasure (decision 0009). Whoever appends CustomerErased, the booking's key and the stored answers
-- that show the person go in the same transaction. Statistics never hold what erasing must remove.

ALTER TABLE booking_keys
    ALTER COLUMN wrapped_key TYPE bytea,   -- the same type: drops the statistics taken so far
    ALTER COLUMN customer_ref TYPE bytea,
    ALTER COLUMN wrapped_key SET STATISTICS 0,
    ALTER COLUMN customer_ref SET STATISTICS 0;
ALTER TABLE command_answers
    ALTER COLUMN request_hash TYPE bytea,
    ALTER COLUMN answer TYPE bytea,
    ALTER COLUMN request_hash SET STATISTICS 0,
    ALTER COLUMN answer SET STATISTICS 0;

-- Answers to requests with `include`: they may show other people of the group (bit 2 of byte 0).
CREATE INDEX command_answers_showing_others_idx ON command_answers (booking_id)
    WHERE (get_byte(answer, 0) & 2) = 2;

CREATE FUNCTION forget_answers(erased uuid, in_group uuid) RETURNS void
LANGUAGE sql AS $$
    DELETE FROM command_answers WHERE booking_id = erased AND octet_length(answer) > 64;
    DELETE FROM command_answers a
     WHERE (get_byte(a.answer, 0) & 2) = 2
       AND EXISTS (SELECT FROM stored_events s
                    WHERE s.booking_id = a.booking_id AND s.originator_id = in_group);
$$;
COMMENT ON FUNCTION forget_answers IS 'Up to 64 bytes are an answer without a body: 204';

CREATE FUNCTION erase_customer() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM booking_keys WHERE booking_id = NEW.booking_id;
    PERFORM forget_answers(NEW.booking_id, NEW.originator_id);
    RETURN NULL;
END
$$;
-- At the end of the transaction: append() writes keys and answers after the events.
CREATE CONSTRAINT TRIGGER stored_events_erase_customer AFTER INSERT ON stored_events
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.topic = 'seatledger.customer_erased')
    EXECUTE FUNCTION erase_customer();

-- What the projector would do, but at once and in every schema of read models: also in those that
-- no process writes any more, and where the group is set aside. Answers how many rows were scrubbed.
CREATE FUNCTION scrub_erased(erased uuid, in_group uuid) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    place    record;
    scrubbed bigint := 0;
    count    bigint;
BEGIN
    IF EXISTS (SELECT FROM booking_keys WHERE booking_id = erased) THEN
        RAISE EXCEPTION 'booking % is not erased: it has its key', erased;
    END IF;
    PERFORM forget_answers(erased, in_group);
    FOR place IN
        SELECT c.oid::regclass AS name, c.relname
          FROM pg_class c
          JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE n.nspname LIKE 'query\_v%' AND c.relkind = 'r' AND c.relname IN ('attendees', 'groups')
    LOOP
        IF place.relname = 'attendees' THEN
            EXECUTE format(
                'UPDATE %s SET customer = NULL, customer_name = NULL, customer_email = NULL,'
                '              attendees = ''[]'', meta = ''{}'''
                ' WHERE booking_id = $1 AND (customer IS NOT NULL OR customer_email IS NOT NULL'
                '    OR attendees::text <> ''[]'' OR meta::text <> ''{}'')', place.name) USING erased;
        ELSE
            EXECUTE format('UPDATE %s SET details = ''{}'' WHERE group_id = $1 AND details::text <> ''{}''',
                           place.name) USING erased;
        END IF;
        GET DIAGNOSTICS count = ROW_COUNT;
        scrubbed := scrubbed + count;
    END LOOP;
    RETURN scrubbed;
END
$$;
