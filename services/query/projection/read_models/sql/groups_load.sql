SELECT * FROM groups WHERE group_id = ANY ($1::uuid[])
