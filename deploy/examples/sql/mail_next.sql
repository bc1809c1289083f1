-- The next mail that is due, held until the transaction ends: nobody else sends it meanwhile, nor
-- one of the same booking that came later. $1 subscriber
SELECT event_id, booking_id, event, data, attempts, now() - made_at AS age
  FROM attendee_mails AS mail
 WHERE subscriber = $1
   AND ended_at IS NULL
   AND next_try_at <= now()
   AND NOT EXISTS (
           SELECT
             FROM attendee_mails AS earlier
            WHERE earlier.subscriber = mail.subscriber
              AND earlier.booking_id = mail.booking_id
              AND earlier.ended_at IS NULL
              AND earlier.position < mail.position
       )
 ORDER BY position, booking_id
 LIMIT 1
   FOR UPDATE SKIP LOCKED
