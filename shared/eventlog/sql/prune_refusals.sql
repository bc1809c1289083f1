-- Forgets at most $2 refusals from before $1; whoever else prunes takes others.
DELETE FROM refusals
 WHERE (group_id, code, place) IN (SELECT group_id, code, place
                                     FROM refusals
                                    WHERE refused_at < $1
                                    ORDER BY refused_at
                                    LIMIT $2
                                      FOR UPDATE SKIP LOCKED)
