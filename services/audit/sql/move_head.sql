-- $1 position, $2 hash
UPDATE log_head
   SET position = $1, hash = $2
