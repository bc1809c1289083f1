-- The first event of each group: it says whose it is.
SELECT originator_id, topic, state
  FROM stored_events
 WHERE originator_id = ANY ($1::uuid[])
   AND originator_version = 1
