-- $1 after this command, $2 how many; answers that no booking's key sealed (bit 1 of byte 0)
SELECT command_id, answer
  FROM command_answers
 WHERE command_id > $1
   AND (get_byte(answer, 0) & 1) = 0
 ORDER BY command_id
 LIMIT $2
