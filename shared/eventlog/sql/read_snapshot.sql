SELECT n.originator_version, n.state, s.hash
  FROM stored_snapshots n
  JOIN stored_events s
    ON s.originator_id = n.originator_id AND s.originator_version = n.originator_version
 WHERE n.originator_id = $1 AND n.topic = $2
 ORDER BY n.originator_version DESC
 LIMIT 1
