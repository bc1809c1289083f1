-- What a caller words freely about reminders and webhooks of a seat booking is sealed with its other
-- personal data (decision 0044). Read models show it; erasing a person takes it out of them.

-- The names that the service itself gives to webhooks; a caller's own go. As `is_given_name`.
CREATE FUNCTION given_webhooks(webhooks json) RETURNS json
LANGUAGE sql IMMUTABLE AS $$
    SELECT ('{' || coalesce(string_agg(to_json(key)::text || ':' || value::text, ','), '') || '}')::json
      FROM json_each(webhooks)
     WHERE key ~ ('^(group_owner|group_customer|group_customer_payment)\.'
                  '(tentative|confirmed|paid|unpaid|completed|cancelled|cancelled_by_customer'
                  '|cancelled_by_owner|error)$')
        OR key ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
$$;

-- Types and times; the settings go.
CREATE FUNCTION bare_reminders(reminders json) RETURNS json
LANGUAGE sql IMMUTABLE AS $$
    SELECT ('[' || coalesce(string_agg(
               '{"type":' || coalesce((one -> 'type')::text, 'null') || ',"settings":{},"when":'
               || coalesce((one -> 'when')::text, 'null') || '}', ',' ORDER BY place), '') || ']')::json
      FROM json_array_elements(reminders) WITH ORDINALITY AS r(one, place)
$$;

-- In every schema of read models, as scrub_erased does. Answers how many rows were scrubbed.
CREATE FUNCTION scrub_notices(erased uuid) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    place    record;
    scrubbed bigint := 0;
    count    bigint;
BEGIN
    FOR place IN
        SELECT c.oid::regclass AS name
          FROM pg_class c
          JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE n.nspname LIKE 'query\_v%' AND c.relkind = 'r' AND c.relname = 'attendees'
    LOOP
        EXECUTE format(
            'UPDATE %s SET reminders = bare_reminders(reminders), webhooks = given_webhooks(webhooks)'
            ' WHERE booking_id = $1'
            '   AND (reminders::text <> bare_reminders(reminders)::text'
            '    OR webhooks::text <> given_webhooks(webhooks)::text)', place.name) USING erased;
        GET DIAGNOSTICS count = ROW_COUNT;
        scrubbed := scrubbed + count;
    END LOOP;
    RETURN scrubbed;
END
$$;
