-- the head's row beside the last event there is, in one snapshot
SELECT h.position, h.hash,
       coalesce((SELECT max(notification_id) FROM stored_events), 0) AS last_position
  FROM log_head h
