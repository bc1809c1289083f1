-- Bookings of the first rule, whose attendees have no hashes yet.
SELECT count(*) FROM booking_keys WHERE octet_length(customer_ref) < 17
