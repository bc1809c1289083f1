-- How far the ledger is, for each booking asked for: in a statement begun after they were asked.
-- $1 bookings, $2 their groups where they are known; a version is null where no event is.
-- Row 0 has the log's position, row -1 the projection's.
SELECT w.n,
       o.group_id,
       (SELECT s.originator_version
          FROM stored_events s
         WHERE s.originator_id = o.group_id
         ORDER BY s.originator_version DESC
         LIMIT 1) AS version,
       EXISTS (SELECT FROM parked p WHERE p.group_id = o.group_id) AS is_parked
  FROM unnest($1::uuid[], $2::uuid[]) WITH ORDINALITY AS w(booking_id, group_id, n)
 CROSS JOIN LATERAL (
       SELECT CASE
              WHEN w.group_id IS NOT NULL THEN w.group_id
              ELSE (SELECT s.originator_id
                      FROM stored_events s
                     WHERE s.booking_id = w.booking_id
                     LIMIT 1)
              END AS group_id
       ) o
 UNION ALL
SELECT 0, NULL, h."position", false FROM log_head h
 UNION ALL
SELECT -1, NULL, c."position", false FROM checkpoint c
