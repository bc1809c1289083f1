-- As the cluster's superuser, in the ledger's database: all that the superuser made here while the
-- services still went by it becomes theirs. What others made stays theirs. (REASSIGN OWNED refuses
-- the role that initdb made.)
DO $$
DECLARE
    command text;
BEGIN
    EXECUTE format('ALTER DATABASE %I OWNER TO seatledger_service', current_database());
    COMMIT;
    FOR command IN
        SELECT format('ALTER SCHEMA %I OWNER TO seatledger_service', nspname)
          FROM pg_namespace
         WHERE nspowner = current_user::regrole
           AND oid >= 16384
           AND nspname !~ '^pg_'
        UNION ALL
        SELECT format(
                   'ALTER %s %s OWNER TO seatledger_service',
                   CASE relkind
                       WHEN 'v' THEN 'VIEW'
                       WHEN 'm' THEN 'MATERIALIZED VIEW'
                       WHEN 'S' THEN 'SEQUENCE'
                       ELSE 'TABLE'
                   END,
                   c.oid::regclass)
          FROM pg_class c
         WHERE relowner = current_user::regrole
           AND oid >= 16384
           AND relkind IN ('r', 'p', 'v', 'm', 'S')
           AND relpersistence <> 't'
           AND NOT EXISTS (  -- a sequence of a column goes with its table
                   SELECT
                     FROM pg_depend d
                    WHERE d.classid = 'pg_class'::regclass
                      AND d.objid = c.oid
                      AND d.deptype IN ('a', 'i')
                      AND c.relkind = 'S')
        UNION ALL
        SELECT format('ALTER ROUTINE %s OWNER TO seatledger_service', oid::regprocedure)
          FROM pg_proc
         WHERE proowner = current_user::regrole
           AND oid >= 16384
        UNION ALL
        SELECT format('ALTER TYPE %s OWNER TO seatledger_service', t.oid::regtype)
          FROM pg_type t
          LEFT JOIN pg_class c ON c.oid = t.typrelid
         WHERE typowner = current_user::regrole
           AND t.oid >= 16384
           AND typcategory <> 'A'
           AND typtype IN ('c', 'd', 'e', 'r')
           AND (typrelid = 0 OR c.relkind = 'c')
    LOOP
        EXECUTE command;
        COMMIT;  -- one table's lock at a time: somebody may be at work
    END LOOP;
END
$$
