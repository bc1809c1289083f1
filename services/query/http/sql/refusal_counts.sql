SELECT code, requests, seats, first_at, last_at
  FROM refusal_counts
 WHERE group_id = $1
 ORDER BY code
