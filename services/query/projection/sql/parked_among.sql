SELECT ARRAY (SELECT group_id FROM parked WHERE group_id = ANY ($1::uuid[]))
