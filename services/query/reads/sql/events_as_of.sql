-- Group $1's events after version $2 that were there at position $3 or at time $4; of the bookings
-- $5, or of all of them (null).
SELECT notification_id, originator_id, originator_version, topic, state, event_id, booking_id,
       metadata, recorded_at, hash
  FROM stored_events
 WHERE originator_id = $1
   AND originator_version > $2
   AND ($3::bigint IS NULL OR notification_id <= $3)
   AND ($4::timestamptz IS NULL OR recorded_at <= $4)
   AND ($5::uuid[] IS NULL OR booking_id = ANY ($5))
 ORDER BY originator_version
 LIMIT $6
