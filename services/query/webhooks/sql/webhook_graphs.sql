-- The events that made these seat bookings.
SELECT topic, state
  FROM stored_events
 WHERE booking_id = ANY ($1::uuid[])
   AND topic = $2
