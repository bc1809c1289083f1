-- $1 position and $2 hash where the head should stand, $3 and $4 where it is to stand then
UPDATE log_head
   SET position = $3, hash = $4
 WHERE position = $1
   AND hash = $2
RETURNING true
