-- $1 groups, $2 version before this batch, then the new row. Answers how many rows were written:
-- fewer than groups means that a row was not where the log says it must be.
WITH saved AS (
    INSERT INTO seat_counts AS s (group_id, version, "position", current_seats, max_seats)
    SELECT n.group_id, n.version, n.place, n.current_seats, n.max_seats
      FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[], $5::int[], $6::int[])
           AS n(group_id, before, version, place, current_seats, max_seats)
      LEFT JOIN seat_counts o ON o.group_id = n.group_id
     WHERE coalesce(o.version, 0) = n.before
        ON CONFLICT (group_id) DO UPDATE
       SET version = excluded.version,
           "position" = excluded."position",
           current_seats = excluded.current_seats,
           max_seats = excluded.max_seats
    RETURNING 1
)
SELECT count(*) FROM saved
