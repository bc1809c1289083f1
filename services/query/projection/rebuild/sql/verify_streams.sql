-- The streams of groups $1 up to position $2, a group's events together and in order, each with its
-- booking's key. Written so that the streams are found by group, however long the log is: by
-- position half the log would be looked at for each few groups.
SELECT s.originator_id, s.topic, s.state,
       (SELECT k.wrapped_key FROM booking_keys k WHERE k.booking_id = s.booking_id) AS wrapped_key
  FROM stored_events s
 WHERE s.originator_id = ANY ($1::uuid[])
   AND s.notification_id + 0 <= $2
 ORDER BY s.originator_id, s.originator_version
