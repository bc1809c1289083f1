SELECT p.group_id, p."position", p.version, p.topic, p.reason, p.parked_at,
       (SELECT max(s.originator_version)
          FROM stored_events s
         WHERE s.originator_id = p.group_id) - p.version + 1 AS waiting
  FROM parked p
 ORDER BY p."position"
