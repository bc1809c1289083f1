-- whose keys the booking keys are wrapped by
SELECT DISTINCT substring(wrapped_key FROM 1 FOR 4)
  FROM booking_keys
