-- $1 command, $2 its first event: the answer that is kept, and who caused the event; of one moment.
SELECT a.booking_id, a.request_hash, a.answer, k.wrapped_key, e.metadata ->> 'actor'
  FROM (VALUES ($1::uuid, $2::uuid)) AS former (command_id, event_id)
  LEFT JOIN command_answers a ON a.command_id = former.command_id
  LEFT JOIN booking_keys k ON k.booking_id = a.booking_id
  LEFT JOIN stored_events e ON e.event_id = former.event_id
