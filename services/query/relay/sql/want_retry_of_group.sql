UPDATE parked_messages
   SET retry_wanted = true
 WHERE group_id = $1
