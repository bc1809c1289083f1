UPDATE due_checkpoint SET position = $1
