UPDATE followers
   SET checkpoint = greatest(checkpoint, $3), updated_at = clock_timestamp()
 WHERE name = $1
   AND epoch = $2
RETURNING checkpoint
