INSERT INTO seatledger_subscribers (name, started_after, read_up_to)
VALUES ($1, $2, $2)
    ON CONFLICT (name) DO NOTHING
