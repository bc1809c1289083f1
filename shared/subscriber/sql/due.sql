-- Groups with an event that is to be tried again now, and the position of it.
SELECT group_id, max(position) AS position
  FROM seatledger_subscriber_failures
 WHERE name = $1
   AND retry_at <= clock_timestamp()
 GROUP BY group_id
