-- The seat bookings of one group, in creation order.
SELECT *
  FROM seat_rows
 WHERE group_id = $1
   AND NOT deleted
 ORDER BY ordinal
