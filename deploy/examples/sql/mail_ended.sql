-- $1 subscriber, $2 event id, $3 booking id, $4 outcome
UPDATE attendee_mails
   SET attempts = attempts + 1, ended_at = now(), outcome = $4
 WHERE subscriber = $1
   AND event_id = $2
   AND booking_id = $3
