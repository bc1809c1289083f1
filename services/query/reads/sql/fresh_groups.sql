-- Each group as far as it is projected, and the events of its own that came since; its last event
-- is always among them, as it has the seat count.
SELECT w.asked, r.*,
       e.versions, e.positions, e.topics, e.states, e.booking_ids, k.wrapped_key
  FROM unnest($1::uuid[]) AS w(asked)
  LEFT JOIN group_rows r ON r.group_id = w.asked
 CROSS JOIN LATERAL (
       SELECT array_agg(n.originator_version ORDER BY n.originator_version) AS versions,
              array_agg(n.notification_id ORDER BY n.originator_version) AS positions,
              array_agg(n.topic ORDER BY n.originator_version) AS topics,
              array_agg(n.state ORDER BY n.originator_version) AS states,
              array_agg(n.booking_id ORDER BY n.originator_version) AS booking_ids
         FROM (SELECT s.originator_version, s.notification_id, s.topic, s.state, s.booking_id
                 FROM stored_events s
                WHERE s.booking_id = w.asked
                  AND s.originator_version > coalesce(r.projected, 0)
                UNION
               (SELECT s.originator_version, s.notification_id, s.topic, s.state, s.booking_id
                  FROM stored_events s
                 WHERE s.originator_id = w.asked
                 ORDER BY s.originator_version DESC
                 LIMIT 1)) n
       ) e
  LEFT JOIN booking_keys k ON k.booking_id = w.asked AND r.projected IS NULL
