SELECT scrub_erased($1, $2)
