SELECT pg_try_advisory_lock(hashtextextended('seatledger/' || $1, 0))
