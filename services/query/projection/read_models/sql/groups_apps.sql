SELECT group_id, app_id FROM groups WHERE group_id = ANY ($1::uuid[])
