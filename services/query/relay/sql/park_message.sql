-- $1 follower, $2 its epoch: nothing is written, and nothing answered, under an older one
INSERT INTO parked_messages (position, group_id, event_id, topic, reason)
SELECT $3, $4, $5, $6, $7
 WHERE EXISTS (SELECT FROM followers WHERE name = $1 AND epoch = $2 FOR SHARE)
    ON CONFLICT (position) DO UPDATE
   SET reason = excluded.reason, retry_wanted = false
RETURNING position
