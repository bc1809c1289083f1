SELECT worker, workers, "position", code FROM rebuild ORDER BY worker
