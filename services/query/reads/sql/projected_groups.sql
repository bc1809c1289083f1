-- Groups and their seat counts, as far as they are projected.
SELECT *
  FROM group_rows
 WHERE group_id = ANY ($1::uuid[])
   AND projected IS NOT NULL
