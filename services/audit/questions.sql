-- Five questions an auditor asks, for any SQL tool and a role that was granted seatledger_auditor.

-- 1. Was any group ever oversold by a booking?
SELECT group_id, position, recorded_at, current_seats, max_seats
  FROM audit.seat_counts
 WHERE topic = 'seatledger.seat_booked' AND current_seats > max_seats;

-- 2. How many seats of each group were taken at a moment?
SELECT group_id, current_seats, max_seats
  FROM audit.seat_counts
 WHERE recorded_at <= now() - interval '1 hour' AND (until > now() - interval '1 hour' OR until IS NULL);

-- 3. Which key made how many bookings on which day?
SELECT actor, recorded_at::date AS day, count(*) AS bookings, sum((details ->> 'seats')::int) AS seats
  FROM audit.events
 WHERE topic = 'seatledger.seat_booked'
 GROUP BY actor, day
 ORDER BY day, actor;

-- 4. How often, and how long after booking, do customers cancel?
SELECT count(*) AS cancelled,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY e.recorded_at - b.booked_at) AS median_time
  FROM audit.bookings b
  JOIN audit.events e ON e.booking_id = b.booking_id AND e.topic = 'seatledger.seat_cancelled'
 WHERE b.state = 'cancelled_by_customer';

-- 5. Do the seats of live bookings add up to what each group says?
SELECT g.group_id, g.current_seats, coalesce(sum(b.seats), 0) AS held
  FROM audit.groups g
  LEFT JOIN audit.bookings b
    ON b.group_id = g.group_id AND b.state IN ('tentative', 'confirmed', 'paid', 'completed')
 GROUP BY g.group_id, g.current_seats
HAVING g.current_seats <> coalesce(sum(b.seats), 0);
