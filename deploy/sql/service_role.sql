-- As the cluster's superuser, once or again: the role that the services go by, and the auditors'.
-- The setting seatledger.service_password holds the password.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'seatledger_service') THEN
        CREATE ROLE seatledger_service;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'seatledger_auditor') THEN
        CREATE ROLE seatledger_auditor NOLOGIN;
    END IF;
    EXECUTE format(
        'ALTER ROLE seatledger_service LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION'
        ' NOBYPASSRLS PASSWORD %L',
        current_setting('seatledger.service_password'));
END
$$
