-- $1 from, $2 to, $3 epoch, $4 the batch's groups. Locks out every other writer of the projection;
-- `moved` is false when another term moved on. Answers which of the groups are set aside.
WITH moved AS (
    UPDATE checkpoint
       SET "position" = $2, moved_at = clock_timestamp()
     WHERE "position" = $1 AND epoch = $3
    RETURNING true
)
SELECT EXISTS (SELECT FROM moved) AS moved,
       ARRAY (SELECT group_id FROM parked WHERE group_id = ANY ($4::uuid[])) AS aside
