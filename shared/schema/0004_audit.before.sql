-- What auditors may read with SQL: the ledger decoded, bookings, seat counts over time. A role that
-- is given `seatledger_auditor` sees these views and nothing else; sealed data is in none of them.

CREATE SCHEMA audit;

CREATE VIEW audit.events AS
SELECT notification_id AS position, originator_id AS group_id, originator_version AS version,
       recorded_at, topic, booking_id, event_id,
       metadata ->> 'actor' AS actor, metadata ->> 'request_id' AS request_id, metadata,
       (e.state ->> 'current_seats')::int AS current_seats,
       (e.state ->> 'max_seats')::int AS max_seats,
       e.state - '{at,booking_id,current_seats,max_seats,sealed,customer_ref}'::text[] AS details
  FROM stored_events s,
       LATERAL (SELECT convert_from(s.state, 'UTF8')::jsonb) AS e(state);
COMMENT ON VIEW audit.events IS 'One row an event; details holds what is neither sealed nor shown';

CREATE VIEW audit.seat_counts AS
SELECT group_id, version, position, recorded_at, topic, booking_id, current_seats, max_seats,
       max_seats - current_seats AS free_seats,
       lead(recorded_at) OVER (PARTITION BY group_id ORDER BY version) AS until
  FROM audit.events;
COMMENT ON VIEW audit.seat_counts IS 'A group''s seats from recorded_at until the next event';

CREATE VIEW audit.groups AS
SELECT c.group_id, c.recorded_at AS created_at, (c.details ->> 'app_id')::uuid AS app_id,
       coalesce(ended.state, 'tentative') AS state, c.details ->> 'what' AS what,
       (coalesce(moved.details, c.details) ->> 'start')::timestamptz AS starts_at,
       (coalesce(moved.details, c.details) ->> 'end')::timestamptz AS ends_at,
       last.current_seats, last.max_seats, last.version, last.recorded_at AS changed_at
  FROM audit.events c
  LEFT JOIN LATERAL (
       SELECT CASE e.topic WHEN 'seatledger.group_cancelled' THEN 'cancelled' ELSE 'completed' END
         FROM audit.events e
        WHERE e.group_id = c.group_id
          AND e.topic IN ('seatledger.group_cancelled', 'seatledger.group_completed')
        ORDER BY e.version DESC LIMIT 1) AS ended(state) ON true
  LEFT JOIN LATERAL (
       SELECT e.details FROM audit.events e
        WHERE e.group_id = c.group_id AND e.topic = 'seatledger.group_rescheduled'
        ORDER BY e.version DESC LIMIT 1) AS moved(details) ON true
 CROSS JOIN LATERAL (
       SELECT e.current_seats, e.max_seats, e.version, e.recorded_at FROM audit.events e
        WHERE e.group_id = c.group_id
        ORDER BY e.version DESC LIMIT 1) AS last
 WHERE c.version = 1;
COMMENT ON VIEW audit.groups IS 'One row a group, as its events leave it';

CREATE VIEW audit.bookings AS
SELECT b.booking_id, b.group_id, b.details ->> 'graph' AS graph,
       CASE WHEN own.state IN ('tentative', 'confirmed', 'paid') AND g.state = 'cancelled'
            THEN 'cancelled_by_owner'
            WHEN own.state IN ('confirmed', 'paid') AND g.state = 'completed' THEN 'completed'
            ELSE own.state END AS state,
       coalesce(partly.seats, (b.details ->> 'seats')::int) AS seats,
       b.recorded_at AS booked_at, b.position, b.actor
  FROM audit.events b
  JOIN audit.groups g USING (group_id)
 CROSS JOIN LATERAL (
       SELECT CASE e.topic
                   WHEN 'seatledger.seat_paid' THEN 'paid'
                   WHEN 'seatledger.seat_expired' THEN 'unpaid'
                   WHEN 'seatledger.seat_completed' THEN 'completed'
                   WHEN 'seatledger.seat_cancelled' THEN 'cancelled_by_' || (e.details ->> 'by')
                   ELSE CASE e.details ->> 'graph'
                        WHEN 'group_customer' THEN 'confirmed' ELSE 'tentative' END
              END
         FROM audit.events e
        WHERE e.booking_id = b.booking_id
          AND (e.topic IN ('seatledger.seat_booked', 'seatledger.seat_paid',
                           'seatledger.seat_expired', 'seatledger.seat_completed')
               OR (e.topic = 'seatledger.seat_cancelled' AND (e.details ->> 'seats_left')::int = 0))
        ORDER BY e.version DESC LIMIT 1) AS own(state)
  LEFT JOIN LATERAL (
       SELECT (e.details ->> 'seats_left')::int FROM audit.events e
        WHERE e.booking_id = b.booking_id AND e.topic = 'seatledger.seat_cancelled'
          AND (e.details ->> 'seats_left')::int > 0
        ORDER BY e.version DESC LIMIT 1) AS partly(seats) ON true
 WHERE b.topic = 'seatledger.seat_booked';
COMMENT ON VIEW audit.bookings IS 'One row a seat booking, as its and its group''s events leave it';

-- The role belongs to the whole cluster, so another database may have made it before or meanwhile.
DO $$
BEGIN
    CREATE ROLE seatledger_auditor NOLOGIN;
EXCEPTION
    WHEN duplicate_object OR unique_violation THEN NULL;
    WHEN insufficient_privilege THEN
        RAISE NOTICE 'no role seatledger_auditor: this role may not make roles';
END
$$;
DO $$
BEGIN
    GRANT USAGE ON SCHEMA audit TO seatledger_auditor;
    GRANT SELECT ON ALL TABLES IN SCHEMA audit TO seatledger_auditor;
EXCEPTION
    WHEN undefined_object THEN NULL;
END
$$;
