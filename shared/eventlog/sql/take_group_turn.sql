SELECT event_id, version, "position", recorded_at, topic, state
  FROM take_group_turn($1, $2)
