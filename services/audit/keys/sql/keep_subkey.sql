-- $1 purpose, $2 sealed
INSERT INTO kept_subkeys (purpose, sealed)
VALUES ($1, $2)
    ON CONFLICT ON CONSTRAINT kept_subkeys_pkey DO UPDATE
   SET sealed = excluded.sealed
