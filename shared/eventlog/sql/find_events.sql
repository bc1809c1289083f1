-- $1 event ids: the events that have them, whoever wrote them
SELECT notification_id, originator_id, originator_version, topic, state, event_id, booking_id,
       metadata, recorded_at, hash
  FROM stored_events
 WHERE event_id = ANY ($1::uuid[])
