SELECT originator_version, topic, state
  FROM stored_events
 WHERE originator_id = $1 AND originator_version > $2
 ORDER BY originator_version
