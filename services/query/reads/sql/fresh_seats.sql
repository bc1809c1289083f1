-- Each seat booking as far as its group is projected, and the events that moved it since.
-- $1 seat bookings, $2 their groups.
SELECT w.asked, w.owner, r.*,
       e.versions, e.positions, e.topics, e.states, e.booking_ids, k.wrapped_key
  FROM unnest($1::uuid[], $2::uuid[]) AS w(asked, owner)
  LEFT JOIN seat_counts c ON c.group_id = w.owner
  LEFT JOIN seat_rows r ON r.booking_id = w.asked
 CROSS JOIN LATERAL (
       SELECT array_agg(s.originator_version ORDER BY s.originator_version) AS versions,
              array_agg(s.notification_id ORDER BY s.originator_version) AS positions,
              array_agg(s.topic ORDER BY s.originator_version) AS topics,
              array_agg(s.state ORDER BY s.originator_version) AS states,
              array_agg(s.booking_id ORDER BY s.originator_version) AS booking_ids
         FROM stored_events s
        WHERE s.booking_id IN (w.asked, w.owner)
          AND s.originator_version > coalesce(c.version, 0)
       ) e
  LEFT JOIN booking_keys k ON k.booking_id = w.asked
