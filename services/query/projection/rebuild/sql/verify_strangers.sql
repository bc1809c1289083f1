-- A row that no event of the ledger up to $1 accounts for.
SELECT group_id
  FROM (SELECT group_id FROM groups
         UNION
        SELECT group_id FROM seat_counts
         UNION
        SELECT group_id FROM attendees) r
 WHERE NOT EXISTS (SELECT FROM stored_events s
                    WHERE s.originator_id = r.group_id
                      AND s.originator_version = 1
                      AND s.notification_id <= $1)
 LIMIT 1
