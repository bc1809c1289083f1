-- every table whose rows held personal data, or the key to it
SELECT c.oid::regclass::text AS name
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind = 'r'
   AND ((n.nspname LIKE 'query\_v%' AND c.relname IN ('attendees', 'groups'))
        OR c.oid IN ('booking_keys'::regclass, 'command_answers'::regclass,
                   'attendee_refs'::regclass))
