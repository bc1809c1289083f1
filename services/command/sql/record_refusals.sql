-- Counts refusals, and keeps the newest: each takes the place of the oldest of its group and rule.
-- $1..$7 the counts: groups, rules, apps, requests, seats, first and last times; $8 how many of each
-- are kept. $9.. the records: groups, rules, how many of the same came after it, bookings, graphs,
-- seats, free seats, versions, times. In order of groups, so that processes never deadlock.
WITH counted AS (
    INSERT INTO refusal_counts AS c
           (group_id, code, app_id, requests, seats, first_at, last_at, kept)
    SELECT *
      FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::bigint[], $5::bigint[],
                  $6::timestamptz[], $7::timestamptz[], $8::bigint[])
     ORDER BY 1, 2
        ON CONFLICT (group_id, code) DO UPDATE
       SET requests = c.requests + excluded.requests,
           seats = c.seats + excluded.seats,
           kept = c.kept + excluded.kept,
           last_at = greatest(c.last_at, excluded.last_at)
    RETURNING c.group_id, c.code, c.app_id, c.kept
)
INSERT INTO refusals AS r
       (group_id, code, place, app_id, booking_id, graph, seats, seats_free, version, refused_at)
SELECT n.group_id, n.code, (c.kept - 1 - n.later) % 1000, c.app_id, n.booking_id, n.graph, n.seats,
       n.seats_free, n.version, n.refused_at
  FROM unnest($9::uuid[], $10::text[], $11::bigint[], $12::uuid[], $13::text[], $14::bigint[],
              $15::bigint[], $16::bigint[], $17::timestamptz[])
    AS n(group_id, code, later, booking_id, graph, seats, seats_free, version, refused_at)
  JOIN counted c ON c.group_id = n.group_id AND c.code = n.code
    ON CONFLICT (group_id, code, place) DO UPDATE
   SET app_id = excluded.app_id,
       booking_id = excluded.booking_id,
       graph = excluded.graph,
       seats = excluded.seats,
       seats_free = excluded.seats_free,
       version = excluded.version,
       refused_at = excluded.refused_at
