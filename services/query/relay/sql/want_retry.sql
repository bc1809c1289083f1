-- The relay tries every group again, each from its first parked event on.
UPDATE parked_messages
   SET retry_wanted = true
