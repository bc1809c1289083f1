-- $1 subscriber, $2 event id, $3 booking id, $4 reason, $5 when
UPDATE attendee_mails
   SET attempts = attempts + 1, next_try_at = now() + $5::interval, outcome = $4
 WHERE subscriber = $1
   AND event_id = $2
   AND booking_id = $3
