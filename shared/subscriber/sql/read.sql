UPDATE seatledger_subscribers
   SET read_up_to = greatest(read_up_to, $2)
 WHERE name = $1
