SELECT started_after, read_up_to
  FROM seatledger_subscribers
 WHERE name = $1
