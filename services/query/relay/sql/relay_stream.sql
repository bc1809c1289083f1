-- $1 group, $2 after this version, $3 up to this version, $4 at most so many
SELECT originator_version, topic, state
  FROM stored_events
 WHERE originator_id = $1
   AND originator_version > $2
   AND originator_version <= $3
 ORDER BY originator_version
 LIMIT $4
