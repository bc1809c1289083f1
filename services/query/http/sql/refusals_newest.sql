SELECT group_id, booking_id, code, graph, seats, seats_free, version, refused_at
  FROM refusals
 WHERE group_id = $1
 ORDER BY refused_at DESC, booking_id
 LIMIT $2
OFFSET $3
