-- $1 after this booking, $2 how many; bookings of the first rule, with what opens them
SELECT k.booking_id, k.wrapped_key, e.topic, e.state
  FROM (SELECT booking_id, wrapped_key
          FROM booking_keys
         WHERE booking_id > $1 AND octet_length(customer_ref) < 17
         ORDER BY booking_id
         LIMIT $2) AS k
  LEFT JOIN LATERAL (
       SELECT s.topic, s.state
         FROM stored_events s
        WHERE s.booking_id = k.booking_id AND s.topic = 'seatledger.seat_booked') AS e ON true
 ORDER BY k.booking_id
