-- append_together(): append(), but all entries or none. When one of them conflicts or was answered
-- before, nothing of the batch is kept: entries that would have held answer 'confirmed' then.

CREATE FUNCTION append_together(
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
    answer_events     uuid[],
    answer_bookings   uuid[],
    request_hashes    bytea[],
    answers           bytea[],
    wake_followers    boolean
) RETURNS SETOF append_answer
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    found  append_answer[];
    undone boolean := false;
BEGIN
    BEGIN
        found := ARRAY(
            SELECT a::append_answer
              FROM append(groups, expected_versions, event_counts, event_topics, event_states,
                          event_ids, event_bookings, event_metadata, event_leaves, key_entries,
                          key_bookings, wrapped_keys, customer_refs, answer_entries,
                          answer_commands, answer_events, answer_bookings, request_hashes, answers,
                          wake_followers) AS a);
        IF EXISTS (SELECT 1 FROM unnest(found) AS f
                    WHERE f.outcome NOT IN ('appended', 'confirmed')) THEN
            RAISE EXCEPTION 'not all of them' USING ERRCODE = 'SL001';
        END IF;
    EXCEPTION WHEN SQLSTATE 'SL001' THEN
        undone := true;  -- and with it everything that append() wrote; the answers are kept
    END;
    RETURN QUERY
    SELECT f.entry, CASE WHEN undone AND f.outcome = 'appended' THEN 'confirmed' ELSE f.outcome END,
           f.version, f."position", f.recorded_at, f.topic, f.state, f.event_id
      FROM unnest(found) AS f;
END
$$;
