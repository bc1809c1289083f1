-- keys are written with the event that introduces the booking: one alone tells of a lost event
SELECT count(*)
  FROM booking_keys k
 WHERE NOT EXISTS (SELECT FROM stored_events s WHERE s.booking_id = k.booking_id)
