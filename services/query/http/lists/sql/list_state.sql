-- How far the read models are, how long they have been there if the log went on, and what they lack:
-- how many groups of the app ($1) are set aside, and which ones nobody's yet.
SELECT c."position",
       CASE
       WHEN c."position" < h."position" THEN extract(epoch FROM clock_timestamp() - c.moved_at)
       ELSE 0
       END AS age_seconds,
       (SELECT count(*)
          FROM parked p
          JOIN groups g ON g.group_id = p.group_id
         WHERE g.app_id = $1) AS parked,
       ARRAY (SELECT p.group_id
                FROM parked p
               WHERE NOT EXISTS (SELECT FROM groups g WHERE g.group_id = p.group_id)
               ORDER BY p."position"
               LIMIT 1000) AS parked_at_first
  FROM checkpoint c, log_head h
