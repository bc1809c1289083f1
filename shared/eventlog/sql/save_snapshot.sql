-- Nobody waits for it to be on the disk: a snapshot that a crash takes back is taken again.
WITH saved AS (
    INSERT INTO stored_snapshots AS n (originator_id, originator_version, topic, state)
    SELECT s.originator_id, s.originator_version, $3, s.hash || $4
      FROM stored_events s, set_config('synchronous_commit', 'off', true)
     WHERE s.originator_id = $1 AND s.originator_version = $2
        ON CONFLICT (originator_id, originator_version) DO UPDATE
       SET topic = excluded.topic, state = excluded.state
    RETURNING n.originator_version
)
DELETE FROM stored_snapshots
 WHERE originator_id = $1
   AND originator_version < (SELECT originator_version FROM saved)
