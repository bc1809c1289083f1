-- append(): the only way into the ledger. One call is one batch; its order is the commit order.
--
-- Entry i of the batch (one per group) brings event_counts[i] events and holds only if the group's
-- stream is at expected_versions[i]; an entry without events confirms a version. Answers one row an
-- entry: 'appended', 'confirmed', 'conflict' (followed by up to 1000 events the caller lacks, as
-- rows 'missing') or 'answered' (a command of it is known: `event_id` names the command).
--
-- The log head is locked first and nothing after it, so nothing deadlocks; positions, hashes and
-- versions are taken under that lock. A conflict is an answer: it never sinks the batch.

CREATE TYPE append_answer AS (
    entry       int,
    outcome     text,
    version     bigint,
    "position"  bigint,
    recorded_at timestamptz,
    topic       text,
    state       bytea,
    event_id    uuid
);

CREATE FUNCTION append(
    groups            uuid[],
    expected_versions bigint[],
    event_counts      int[],
    event_topics      text[],
    event_states      bytea[],
    event_ids         uuid[],
    event_bookings    uuid[],
    event_metadata    text[],
    event_leaves      bytea[],
    key_entries       int[],
    key_bookings      uuid[],
    wrapped_keys      bytea[],
    customer_refs     bytea[],
    answer_entries    int[],
    answer_commands   uuid[],
    answer_events     uuid[],   -- the first event id derived from the command; nil for a refusal
    answer_bookings   uuid[],
    request_hashes    bytea[],
    answers           bytea[],
    wake_followers    boolean
) RETURNS SETOF append_answer
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    entries    CONSTANT int := cardinality(groups);
    writes     CONSTANT boolean := cardinality(event_topics) > 0 OR cardinality(answer_commands) > 0;
    at         timestamptz;
    at_bytes   bytea;
    head       bigint := 0;
    link       bytea;
    versions   bigint[];
    outcomes   text[] := array_fill('appended'::text, ARRAY[entries]);
    positions  bigint[] := array_fill(NULL::bigint, ARRAY[cardinality(event_topics)]);
    links      bytea[] := array_fill(NULL::bytea, ARRAY[cardinality(event_topics)]);
    numbers    bigint[] := array_fill(NULL::bigint, ARRAY[cardinality(event_topics)]);
    owners     uuid[] := array_fill(NULL::uuid, ARRAY[cardinality(event_topics)]);
    lasts      bigint[] := array_fill(NULL::bigint, ARRAY[entries]);
    known      RECORD;
    e          int := 0;
BEGIN
    IF writes THEN
        SELECT h.position, h.hash INTO head, link FROM log_head h FOR UPDATE;
    END IF;
    at := clock_timestamp();
    at_bytes := int8send((extract(epoch FROM at) * 1000000)::bigint);

    -- A new statement, so a snapshot taken after the lock: what is committed before it is seen.
    SELECT array_agg(coalesce((SELECT max(s.originator_version) FROM stored_events s
                                WHERE s.originator_id = g.id), 0) ORDER BY g.n)
      INTO versions FROM unnest(groups) WITH ORDINALITY AS g(id, n);

    IF cardinality(answer_commands) > 0 THEN
        FOR known IN
            SELECT c.entry, c.command_id
              FROM unnest(answer_entries, answer_commands, answer_events)
                   AS c(entry, command_id, event_id)
             WHERE EXISTS (SELECT 1 FROM command_answers a WHERE a.command_id = c.command_id)
                OR EXISTS (SELECT 1 FROM stored_events s WHERE s.event_id = c.event_id)
        LOOP
            outcomes[known.entry] := 'answered';
            RETURN NEXT ROW(known.entry, 'answered', versions[known.entry], head, at, NULL, NULL,
                            known.command_id)::append_answer;
        END LOOP;
    END IF;

    FOR i IN 1..entries LOOP
        IF outcomes[i] <> 'answered' THEN
            IF versions[i] <> expected_versions[i] THEN
                outcomes[i] := 'conflict';
            ELSIF event_counts[i] = 0 THEN
                outcomes[i] := 'confirmed';
            END IF;
        END IF;
        IF outcomes[i] = 'appended' THEN
            FOR k IN 1..event_counts[i] LOOP
                e := e + 1;
                head := head + 1;
                link := sha256(link || int8send(head) || at_bytes || event_leaves[e]);
                positions[e] := head;
                links[e] := link;
                numbers[e] := versions[i] + k;
                owners[e] := groups[i];
            END LOOP;
            lasts[i] := head;
            versions[i] := versions[i] + event_counts[i];
        ELSE
            e := e + event_counts[i];
        END IF;
    END LOOP;

    IF 'appended' = ANY (outcomes) THEN
        INSERT INTO stored_events (originator_id, originator_version, topic, state, notification_id,
                                   event_id, booking_id, metadata, recorded_at, hash)
        SELECT n.owner, n.number, n.topic, n.state, n.place, n.event_id, n.booking_id,
               n.metadata::jsonb, at, n.link
          FROM unnest(owners, numbers, event_topics, event_states, positions, event_ids,
                      event_bookings, event_metadata, links)
               AS n(owner, number, topic, state, place, event_id, booking_id, metadata, link)
         WHERE n.place IS NOT NULL;
        INSERT INTO booking_keys (booking_id, group_id, wrapped_key, customer_ref)
        SELECT k.booking_id, groups[k.entry], k.wrapped_key, k.customer_ref
          FROM unnest(key_entries, key_bookings, wrapped_keys, customer_refs)
               AS k(entry, booking_id, wrapped_key, customer_ref)
         WHERE outcomes[k.entry] = 'appended';
        UPDATE log_head SET position = head, hash = link;
        IF wake_followers THEN
            PERFORM pg_notify('stored_events', '');
        END IF;
    END IF;

    IF cardinality(answer_commands) > 0 THEN
        INSERT INTO command_answers (command_id, booking_id, request_hash, answer, answered_at)
        SELECT a.command_id, a.booking_id, a.request_hash, a.answer, at
          FROM unnest(answer_entries, answer_commands, answer_bookings, request_hashes, answers)
               AS a(entry, command_id, booking_id, request_hash, answer)
         WHERE outcomes[a.entry] IN ('appended', 'confirmed');
    END IF;

    FOR i IN 1..entries LOOP
        IF outcomes[i] <> 'answered' THEN
            RETURN NEXT ROW(i, outcomes[i], versions[i], lasts[i], at, NULL, NULL, NULL)::append_answer;
        END IF;
        IF outcomes[i] = 'conflict' THEN
            RETURN QUERY
            SELECT i, 'missing', s.originator_version, s.notification_id, s.recorded_at, s.topic,
                   s.state, s.event_id
              FROM stored_events s
             WHERE s.originator_id = groups[i] AND s.originator_version > expected_versions[i]
             ORDER BY s.originator_version LIMIT 1000;
        END IF;
    END LOOP;
END
$$;
