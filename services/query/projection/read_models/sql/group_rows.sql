-- A group as it is read: its row, how far it is projected, and its seat count.
CREATE OR REPLACE VIEW group_rows AS
SELECT g.*, c.version AS projected, c.current_seats
  FROM groups g
  LEFT JOIN seat_counts c ON c.group_id = g.group_id
