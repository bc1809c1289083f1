SELECT group_id, booking_id, code, graph, seats, seats_free, version, refused_at
  FROM refusals
 WHERE booking_id = $1
   AND app_id = $2
 ORDER BY refused_at DESC
 LIMIT 1
