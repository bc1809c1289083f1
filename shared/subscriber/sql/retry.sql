-- Event $2 is to be tried again in $3 seconds, or (null) is given up.
UPDATE seatledger_subscriber_failures
   SET retry_at = clock_timestamp() + make_interval(secs => $3)
 WHERE name = $1
   AND event_id = $2
