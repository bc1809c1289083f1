DELETE FROM parked_messages
 WHERE position = $1
RETURNING group_id
