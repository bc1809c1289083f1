SELECT scrub_erased($1, $2) + scrub_notices($1)
