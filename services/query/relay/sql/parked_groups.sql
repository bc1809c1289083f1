-- A group is tried again when its first parked event is to be.
SELECT DISTINCT ON (group_id) group_id, position, retry_wanted
  FROM parked_messages
 ORDER BY group_id, position
