-- $1, $2 after this version of this group, $3 up to this position, $4 up to this group, $5 how many
SELECT originator_id, originator_version, notification_id, topic, state
  FROM stored_events
 WHERE (originator_id, originator_version) > ($1::uuid, $2::bigint)
   AND originator_id <= $4
   AND notification_id <= $3
 ORDER BY originator_id, originator_version
 LIMIT $5
