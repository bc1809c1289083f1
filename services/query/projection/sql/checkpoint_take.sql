-- A new term begins: $1 its epoch. No row when a newer term holds the checkpoint, or nobody may.
UPDATE checkpoint SET epoch = $1 WHERE epoch BETWEEN 0 AND $1 RETURNING "position"
