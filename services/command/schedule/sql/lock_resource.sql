-- $1 app_id, $2 resource_id
SELECT pg_advisory_xact_lock(hashtextextended('seatledger resource ' || $1::uuid::text || $2::uuid::text, 0))
