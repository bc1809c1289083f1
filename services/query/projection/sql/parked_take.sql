-- Takes a group back, $1; no row when it was not set aside. `version` is how far it is projected.
DELETE FROM parked p
 WHERE p.group_id = $1
RETURNING coalesce((SELECT c.version FROM seat_counts c WHERE c.group_id = p.group_id), 0)
