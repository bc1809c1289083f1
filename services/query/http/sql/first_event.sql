-- Where the ledger has the event that made a booking.
SELECT originator_version AS version, notification_id AS "position", recorded_at
  FROM stored_events
 WHERE booking_id = $1
 ORDER BY originator_version
 LIMIT 1
