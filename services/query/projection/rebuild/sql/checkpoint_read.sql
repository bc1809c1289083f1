SELECT "position", epoch FROM checkpoint
