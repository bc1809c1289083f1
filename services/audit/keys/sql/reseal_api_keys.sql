-- $1 keys, $2 sealed as they were read, $3 the same sealed anew
UPDATE api_keys k
   SET sealed_key = n.anew
  FROM unnest($1::uuid[], $2::bytea[], $3::bytea[]) AS n(key_id, old, anew)
 WHERE k.key_id = n.key_id
   AND k.sealed_key = n.old
RETURNING k.key_id
