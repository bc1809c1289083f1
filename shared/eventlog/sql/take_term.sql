INSERT INTO followers AS f (name, epoch, checkpoint)
VALUES ($1, 1, 0)
    ON CONFLICT (name) DO UPDATE
   SET epoch = f.epoch + 1, trouble = NULL, updated_at = clock_timestamp()
RETURNING epoch
