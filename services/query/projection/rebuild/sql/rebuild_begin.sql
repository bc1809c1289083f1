INSERT INTO rebuild (worker, workers, "position", code)
SELECT n, $1, 0, $2 FROM generate_series(0, $1 - 1) n
