-- A group's seat bookings in creation order, as text that goes into an answer as it is.
SELECT {json}
  FROM attendees a
 WHERE a.group_id = $1
   AND NOT a.deleted
 ORDER BY a.ordinal
