-- How webhooks are: those whose endpoint fails ($1 times in a row), those that work, and for how
-- long the oldest delivery of a working one has been due that nobody has taken yet.
SELECT count(*) FILTER (WHERE w.failures < $1) AS working,
       count(*) FILTER (WHERE w.failures >= $1) AS failing,
       greatest(0, coalesce(max(extract(epoch FROM clock_timestamp() - d.due_at))
                            FILTER (WHERE w.failures < $1), 0))::float8 AS oldest_due_seconds
  FROM webhooks w
  LEFT JOIN LATERAL (
       SELECT c.due_at
         FROM webhook_deliveries c
        WHERE c.webhook_id = w.webhook_id
          AND c.status = 'waiting'
        ORDER BY c.due_at, c.number
        LIMIT 1) d ON true
