-- $1, $2 after this version of this group, $3 up to this position, $4 how many
SELECT originator_id, originator_version, notification_id, topic, state
  FROM stored_events
 WHERE (originator_id, originator_version) > ($1::uuid, $2::bigint)
   AND notification_id <= $3
 ORDER BY originator_id, originator_version
 LIMIT $4
