-- $1 bookings with $2 their customer_refs, $3 bookings with $4 the refs of their attendees. What was
-- erased meanwhile stays away. Answers the bookings that were written.
WITH changed AS (
    UPDATE booking_keys k
       SET customer_ref = n.customer_ref
      FROM unnest($1::uuid[], $2::bytea[]) AS n(booking_id, customer_ref)
     WHERE k.booking_id = n.booking_id AND octet_length(k.customer_ref) < 17
    RETURNING k.booking_id
), kept AS (
    INSERT INTO attendee_refs (booking_id, ref)
    SELECT r.booking_id, r.ref
      FROM unnest($3::uuid[], $4::bytea[]) AS r(booking_id, ref)
      JOIN changed USING (booking_id)
        ON CONFLICT DO NOTHING
)
SELECT booking_id FROM changed
