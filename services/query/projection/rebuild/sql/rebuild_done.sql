-- Everything up to $1 is in: from here on the checkpoint counts.
UPDATE checkpoint SET "position" = $1, moved_at = clock_timestamp()
