SELECT min(due_at) FROM due_work
