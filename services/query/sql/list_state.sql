-- How far the read models are, how long they have been there if the log went on, and what they lack.
SELECT c."position",
       CASE
       WHEN c."position" < h."position" THEN extract(epoch FROM clock_timestamp() - c.moved_at)
       ELSE 0
       END AS age_seconds,
       (SELECT count(*) FROM parked) AS parked
  FROM checkpoint c, log_head h
