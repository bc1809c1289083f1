-- How often event $2 has failed, if it is not to be tried yet.
SELECT attempts
  FROM seatledger_subscriber_failures
 WHERE name = $1
   AND event_id = $2
   AND retry_at > clock_timestamp()
