UPDATE log_head SET position = position
