-- Forgets at most $2 answers from before $1; whoever else prunes takes others.
DELETE FROM command_answers
 WHERE command_id IN (SELECT command_id
                        FROM command_answers
                       WHERE answered_at < $1
                       ORDER BY answered_at
                       LIMIT $2
                         FOR UPDATE SKIP LOCKED)
