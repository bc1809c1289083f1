DELETE FROM parked_messages WHERE position = $1
