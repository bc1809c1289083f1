-- Payments that came after their group had completed: until now nothing completed such a seat booking
-- afterwards (decision 0011). They are due when they would have been; what has ended meanwhile, due
-- work leaves alone.

INSERT INTO due_work (booking_id, action, group_id, app_id, due_at)
SELECT paid.booking_id, 'complete', paid.originator_id, g.app_id, g.end_at + interval '1 hour'
  FROM stored_events paid
  JOIN due_groups g ON g.group_id = paid.originator_id AND NOT g.is_open
 WHERE paid.topic = 'seatledger.seat_paid'
   AND EXISTS (SELECT 1 FROM stored_events completed
                WHERE completed.originator_id = paid.originator_id
                  AND completed.originator_version < paid.originator_version
                  AND completed.topic = 'seatledger.group_completed')
   AND NOT EXISTS (SELECT 1 FROM stored_events ended
                    WHERE ended.booking_id = paid.booking_id
                      AND ended.originator_version > paid.originator_version
                      AND ended.topic IN ('seatledger.seat_completed', 'seatledger.booking_deleted'))
    ON CONFLICT (booking_id, action) DO NOTHING;
