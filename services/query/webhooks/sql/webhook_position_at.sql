-- The last position before time $1, found by halving: times rise with positions.
WITH RECURSIVE halves(low, high) AS (
    SELECT 0::bigint, position
      FROM log_head
     UNION ALL
    SELECT CASE WHEN e.recorded_at < $1 THEN e.notification_id ELSE h.low END,
           CASE WHEN e.recorded_at < $1 THEN h.high ELSE e.notification_id - 1 END
      FROM halves h
      JOIN stored_events e ON e.notification_id = (h.low + h.high + 1) / 2
     WHERE h.low < h.high
)
SELECT low FROM halves WHERE low >= high LIMIT 1
