-- $1 subscriber, $2 event id, $3 position, $4 event, $5 data, $6 booking ids
INSERT INTO attendee_mails (subscriber, event_id, position, event, data, booking_id)
SELECT $1, $2, $3, $4, $5, unnest($6::uuid[])
    ON CONFLICT DO NOTHING
