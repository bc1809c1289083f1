-- Each seat booking as far as its group is projected, and the events that moved it since.
-- $1 seat bookings, $2 their groups.
SELECT w.booking_id, w.group_id,
       e.versions, e.positions, e.topics, e.states, e.booking_ids, k.wrapped_key,
       a.booking_id, a.group_id, a.ordinal, a.version, a.graph, a.state, a.seats, a.deleted,
       a.created_at, a.updated_at, a.hold_until, a.bulk_id, a.auto_complete, a.customer,
       a.customer_name, a.customer_email, a.attendees, a.meta, a.reminders, a.webhooks
  FROM unnest($1::uuid[], $2::uuid[]) AS w(booking_id, group_id)
  LEFT JOIN seat_counts c ON c.group_id = w.group_id
  LEFT JOIN attendees a ON a.booking_id = w.booking_id
 CROSS JOIN LATERAL (
       SELECT array_agg(s.originator_version ORDER BY s.originator_version) AS versions,
              array_agg(s.notification_id ORDER BY s.originator_version) AS positions,
              array_agg(s.topic ORDER BY s.originator_version) AS topics,
              array_agg(s.state ORDER BY s.originator_version) AS states,
              array_agg(s.booking_id ORDER BY s.originator_version) AS booking_ids
         FROM stored_events s
        WHERE s.booking_id IN (w.booking_id, w.group_id)
          AND s.originator_version > coalesce(c.version, 0)
       ) e
  LEFT JOIN booking_keys k ON k.booking_id = w.booking_id
