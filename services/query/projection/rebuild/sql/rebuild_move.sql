-- Worker $1 from $2 to $3; no row when another process moved it on.
UPDATE rebuild SET "position" = $3 WHERE worker = $1 AND "position" = $2 RETURNING "position"
