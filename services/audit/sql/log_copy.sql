-- $1 after this position, $2 up to this one; the columns of `copy_format.py`, in its order
SELECT notification_id, recorded_at, hash, originator_id, originator_version, topic, state,
       event_id, booking_id, metadata
  FROM stored_events
 WHERE notification_id > $1
   AND notification_id <= $2
 ORDER BY notification_id
