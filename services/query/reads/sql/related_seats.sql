-- The seat bookings of groups, in creation order.
SELECT *
  FROM seat_rows
 WHERE group_id = ANY ($1::uuid[])
   AND NOT deleted
 ORDER BY group_id, ordinal
