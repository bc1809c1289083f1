-- Counts a failure of event $2; when it may be tried again is said afterwards.
INSERT INTO seatledger_subscriber_failures AS f
       (name, event_id, group_id, position, attempts, reason, retry_at)
VALUES ($1, $2, $3, $4, 1, $5, clock_timestamp())
    ON CONFLICT (name, event_id) DO UPDATE
   SET attempts = f.attempts + 1, reason = excluded.reason
RETURNING attempts
