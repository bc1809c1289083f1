-- $1 a booking: a group, or a seat booking in one
SELECT originator_id
  FROM stored_events
 WHERE booking_id = $1
 LIMIT 1
