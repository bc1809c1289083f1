SELECT version, position
  FROM seatledger_subscriber_groups
 WHERE name = $1
   AND group_id = $2
