SELECT position, group_id, event_id, topic, reason, retry_wanted, parked_at
  FROM parked_messages
 ORDER BY position
 LIMIT 1000
