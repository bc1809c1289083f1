INSERT INTO parked (group_id, "position", version, topic, reason)
SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::text[], $5::text[])
    ON CONFLICT (group_id) DO NOTHING
