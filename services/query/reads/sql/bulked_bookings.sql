-- $1 app_id, $2 bulk ids; what was made together, in creation order
SELECT booking_id, group_id, bulk_id, created_at
  FROM attendees
 WHERE app_id = $1 AND bulk_id = ANY ($2::uuid[]) AND NOT deleted
UNION ALL
SELECT group_id, group_id, bulk_id, created_at
  FROM groups
 WHERE app_id = $1 AND bulk_id = ANY ($2::uuid[]) AND NOT deleted
 ORDER BY created_at, booking_id
