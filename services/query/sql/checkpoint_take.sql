-- A new term begins: $1 its epoch. No row when a newer term holds the checkpoint.
UPDATE checkpoint SET epoch = $1 WHERE epoch <= $1 RETURNING "position"
