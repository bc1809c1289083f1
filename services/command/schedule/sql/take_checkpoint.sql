SELECT position FROM due_checkpoint FOR UPDATE
