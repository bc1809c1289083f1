-- Forgets deliveries that ended $1 ago, at most $2 at once.
DELETE FROM webhook_deliveries
 WHERE delivery_id IN (
       SELECT delivery_id
         FROM webhook_deliveries
        WHERE ended_at < clock_timestamp() - $1::interval
        LIMIT $2)
