-- a session that cannot write, and leaves the other cores to those who do
SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY;
SET max_parallel_workers_per_gather = 0;
SET jit = off;
