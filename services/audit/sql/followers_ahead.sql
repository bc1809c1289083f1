-- followers that say they are done with positions that the log does not have, in one snapshot
SELECT name, checkpoint, h.position
  FROM followers, log_head h
 WHERE checkpoint > h.position
 ORDER BY name
