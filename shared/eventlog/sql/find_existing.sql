-- $1 booking ids; those of them that were ever booked
SELECT w.booking_id
  FROM unnest($1::uuid[]) WITH ORDINALITY AS w(booking_id, place)
 WHERE EXISTS (SELECT 1 FROM stored_events s WHERE s.booking_id = w.booking_id)
 ORDER BY w.place
