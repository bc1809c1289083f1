-- Seat bookings as JSON text, byte for byte as Python renders them: one fragment an include.
-- Moments are in the session's time zone. A property test holds the two renderings equal.

-- base
'{"id":"' || a.booking_id || '","state":"' || a.state || '","graph":"' || a.graph
    || '","completed":'
    || CASE WHEN a.state IN ('tentative', 'confirmed', 'paid') THEN 'false' ELSE 'true' END
    || ',"created_at":"' || to_char(a.created_at, 'YYYY-MM-DD"T"HH24:MI:SSTZH:TZM')
    || '","updated_at":"' || to_char(a.updated_at, 'YYYY-MM-DD"T"HH24:MI:SSTZH:TZM') || '"'
-- customers
',"customers":[' || coalesce(a.customer::text, '') || ']'
-- attendees
',"attendees":' || a.attendees
-- meta
',"meta":' || a.meta
-- related
',"related":{"owner_booking_id":"' || a.group_id || '","seats":' || a.seats || '}'
-- reminders
',"reminders":' || a.reminders
-- webhooks
',"webhooks":' || a.webhooks
-- provider_event
',"provider_event":null'
-- end
'}'
