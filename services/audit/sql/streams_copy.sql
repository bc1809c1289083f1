-- $1 from this group on, $2 up to this one, $3 up to this position, $4 whether with the events
SELECT originator_id, originator_version, notification_id,
       CASE WHEN $4::boolean THEN state ELSE '' END,
       CASE WHEN $4::boolean THEN topic ELSE '' END
  FROM stored_events
 WHERE originator_id >= $1
   AND originator_id <= $2
   AND notification_id <= $3
 ORDER BY originator_id, originator_version
