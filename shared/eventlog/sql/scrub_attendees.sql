SELECT scrub_attendees($1, $2, $3)
