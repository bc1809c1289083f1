-- Waits for whoever projects into these tables, and lets nobody do so again: they are history.
UPDATE {schema}.checkpoint SET epoch = -1
