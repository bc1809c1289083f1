-- Worker $4 of $3: its groups' events after position $1, up to $2.
SELECT notification_id, originator_id, originator_version, topic, state, booking_id
  FROM stored_events
 WHERE notification_id > $1
   AND notification_id <= $2
   AND get_byte(uuid_send(originator_id), 15) % $3 = $4
 ORDER BY notification_id
 LIMIT $5
