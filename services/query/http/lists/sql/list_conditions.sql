-- What lists are narrowed to and ordered by. {0}, {1}: parameters, in the order they are given.

-- app
b.app_id = {0}
-- not parked
NOT EXISTS (SELECT FROM parked p WHERE p.group_id = b.group_id)
-- groups only
b.graph = 'group_owner'
-- bookable
b.state = 'tentative' AND b.start_at > now() AND b.closes_at > now()
    AND (b.opens_at IS NULL OR b.opens_at <= now())
    AND EXISTS (SELECT FROM seat_counts c
                 WHERE c.group_id = b.group_id AND c.current_seats < c.max_seats)
-- from
b.start_at >= {0}
-- until
b.end_at <= {0}
-- id
b.booking_id = {0}
-- resource.id
b.resource_id = {0}
-- calendar.id
b.calendar_id = {0}
-- project.id
b.project_id = {0}
-- graph
b.graph = {0}
-- state
b.state = {0}
-- completed
b.is_completed = {0}
-- customer.id
b.customer ->> 'id' = {0}
-- customer.name
b.customer_name LIKE {0}
-- customer.name spelled
b.customer_name LIKE ANY ({0}::text[])
-- customer.email
b.customer_email LIKE {0}
-- customer.email spelled
b.customer_email = ANY ({0}::text[])
    AND (b.customer_email = {1}
         OR lower(normalize(b.customer ->> 'email', NFC) COLLATE "C") = ANY ({2}::text[]))
-- customer.email alike
(b.customer_email LIKE {0} OR normalize(b.customer ->> 'email', NFC) ILIKE {1})
-- customer.known
normalize(b.customer ->> {0}, NFC) ILIKE {1}
-- customer.other
normalize(b.customer -> 'meta' ->> {0}, NFC) ILIKE {1}
-- meta
normalize(b.meta ->> {0}, NFC) ILIKE {1}
-- order created_at
b.created_at
-- order updated_at
b.updated_at
-- order completed
b.is_completed
-- order graph
b.graph
-- order state
b.state
-- order start
b.start_at
-- order end
b.end_at
-- at last
b.booking_id
