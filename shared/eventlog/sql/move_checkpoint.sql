-- Follower $1 in epoch $2 from position $3 to $4. A move whose answer was lost has been made.
UPDATE followers
   SET checkpoint = greatest(checkpoint, $4), updated_at = clock_timestamp()
 WHERE name = $1
   AND epoch = $2
   AND checkpoint >= $3
RETURNING checkpoint
