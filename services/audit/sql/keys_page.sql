-- $1 after this booking, $2 how many
SELECT k.booking_id, k.group_id, k.wrapped_key, k.customer_ref,
       ARRAY(SELECT a.ref FROM attendee_refs a WHERE a.booking_id = k.booking_id ORDER BY a.ref)
  FROM booking_keys k
 WHERE k.booking_id > $1
 ORDER BY k.booking_id
 LIMIT $2
