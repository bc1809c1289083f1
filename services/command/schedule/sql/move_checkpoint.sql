UPDATE due_checkpoint SET position = $2 WHERE position = $1 RETURNING position
