-- $1 a position
SELECT hash
  FROM stored_events
 WHERE notification_id = $1
