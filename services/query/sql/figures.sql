-- How far the log and each of its followers are, and how old what they have not done yet is. The
-- projection and due work keep their checkpoint beside what they write.
SELECT f.name, f.checkpoint, f.trouble, h."position" AS head, f.parked,
       coalesce(extract(epoch FROM clock_timestamp() - s.recorded_at), 0)::float8 AS age_seconds
  FROM log_head h
 CROSS JOIN (
       SELECT name, checkpoint, trouble,
              CASE WHEN name = 'relay' THEN (SELECT count(*) FROM parked_messages) ELSE 0 END AS parked
         FROM followers
        WHERE name NOT LIKE 'projector%' AND name <> 'due work'
        UNION ALL
       SELECT 'due work', "position", NULL, 0
         FROM due_checkpoint
        UNION ALL
       SELECT 'projector', "position", NULL, (SELECT count(*) FROM parked)
         FROM checkpoint) AS f
  LEFT JOIN stored_events s ON s.notification_id = f.checkpoint + 1
 ORDER BY f.name
