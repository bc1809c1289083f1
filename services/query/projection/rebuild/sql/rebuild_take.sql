SELECT "position" FROM rebuild WHERE worker = $1
