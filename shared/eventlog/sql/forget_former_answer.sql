-- $1 command: an answer that lies there under a former id only (bit 4 of byte 0) makes room.
DELETE FROM command_answers
 WHERE command_id = $1
   AND (get_byte(answer, 0) & 4) = 4
