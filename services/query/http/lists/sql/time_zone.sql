-- Until the transaction ends, moments are shown in zone $1.
SELECT set_config('TimeZone', $1, true)
