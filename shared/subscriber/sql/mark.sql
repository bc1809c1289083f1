-- Marks version $3 of group $2 as handled; no row when it was already. Holds the group's row.
INSERT INTO seatledger_subscriber_groups AS g (name, group_id, version, position)
VALUES ($1, $2, $3, $4)
    ON CONFLICT (name, group_id) DO UPDATE
   SET version = excluded.version, position = excluded.position
 WHERE g.version < excluded.version
RETURNING version
