SELECT EXISTS (
       SELECT
         FROM pg_stat_activity
        WHERE datname = current_database()
          AND application_name = $1
          AND pid <> pg_backend_pid())
