-- In epoch $1 from position $2 to $3. Locks out every other writer of the projection; no row when
-- another term moved on.
UPDATE checkpoint
   SET "position" = $3, moved_at = clock_timestamp()
 WHERE epoch = $1
   AND "position" = $2
RETURNING "position"
