SELECT event_id, originator_version, notification_id, recorded_at
  FROM stored_events
 WHERE event_id = ANY ($1::uuid[])
