-- take_group_turn(): the lock mode of a group that several processes write to at once. Call it in a
-- transaction: it waits for the group's turn, which lasts until the transaction ends, and answers
-- with the events after a version. The lock decides nothing: append() still checks the version.

CREATE FUNCTION take_group_turn(group_id uuid, after bigint)
RETURNS TABLE (event_id uuid, version bigint, "position" bigint, recorded_at timestamptz,
               topic text, state bytea)
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('seatledger group ' || group_id, 0));
    -- A new statement, so a snapshot taken after the wait: what the last holder wrote is seen.
    RETURN QUERY
    SELECT s.event_id, s.originator_version, s.notification_id, s.recorded_at, s.topic, s.state
      FROM stored_events s
     WHERE s.originator_id = group_id AND s.originator_version > after
     ORDER BY s.originator_version;
END
$$;
