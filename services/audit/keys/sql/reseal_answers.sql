-- $1 commands, $2 answers as they were read, $3 the same sealed anew
UPDATE command_answers a
   SET answer = n.anew
  FROM unnest($1::uuid[], $2::bytea[], $3::bytea[]) AS n(command_id, old, anew)
 WHERE a.command_id = n.command_id
   AND a.answer = n.old
RETURNING a.command_id
