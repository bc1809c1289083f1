-- Writes whole rows, one array a column.
INSERT INTO groups (group_id, app_id, version, state, deleted, created_at, updated_at, start_at,
                    end_at, opens_at, closes_at, time_zone, resource_id, project_id, calendar_id,
                    bulk_id, auto_complete, what, "where", description, settings, details, meta,
                    reminders, webhooks)
SELECT *
  FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::text[], $5::boolean[], $6::timestamptz[],
              $7::timestamptz[], $8::timestamptz[], $9::timestamptz[], $10::timestamptz[],
              $11::timestamptz[], $12::text[], $13::uuid[], $14::uuid[], $15::uuid[], $16::uuid[],
              $17::boolean[], $18::text[], $19::text[], $20::text[], $21::json[], $22::json[],
              $23::json[], $24::json[], $25::json[])
    ON CONFLICT (group_id) DO UPDATE
   SET version = excluded.version,
       state = excluded.state,
       deleted = excluded.deleted,
       updated_at = excluded.updated_at,
       start_at = excluded.start_at,
       end_at = excluded.end_at,
       opens_at = excluded.opens_at,
       closes_at = excluded.closes_at,
       settings = excluded.settings,
       details = excluded.details,
       meta = excluded.meta
