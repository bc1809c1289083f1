DELETE FROM seatledger_subscriber_failures
 WHERE name = $1
   AND event_id = $2
