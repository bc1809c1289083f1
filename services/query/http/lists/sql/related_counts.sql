-- How many seat bookings each group has, counted up to $2.
SELECT w.group_id,
       (SELECT count(*)
          FROM (SELECT
                  FROM attendees a
                 WHERE a.group_id = w.group_id
                   AND NOT a.deleted
                 LIMIT $2) counted) AS count
  FROM unnest($1::uuid[]) AS w(group_id)
