-- $1 a position, or NULL for all: the group is tried again, from its first parked event on
UPDATE parked_messages
   SET retry_wanted = true
 WHERE $1::bigint IS NULL
    OR group_id = (SELECT group_id FROM parked_messages WHERE position = $1)
