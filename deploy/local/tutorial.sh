DAY=$(python3 -c 'import datetime; print(datetime.date.today() + datetime.timedelta(days=1))')
show() { python3 -m json.tool; }
show_and_keep_id() { python3 -c 'import json, sys
answer = json.load(sys.stdin)
print(json.dumps(answer, indent=4), file=sys.stderr)
print(answer.get("data", {}).get("id", "no-id"))'; }

echo "1. Create a group: a webinar with 20 seats"
GROUP=$(curl --silent --show-error --request POST \
--url "$URL/v2/bookings" \
--user ":$KEY" \
--data '{
"resource_id": "78a4d873-2a68-41c6-bdd4-c0ca5b35efd3",
"project_id" : "3f5ad8b7-ef4e-4765-bb54-f2117c508a00" ,
"graph": "group_owner",
"settings": {
"max_seats": 20
},
"start": "'"$DAY"'T08:00:00-08:00",
"end": "'"$DAY"'T09:00:00-08:00",
"what": "Doc Brown'\''s webinar on flux capacitance",
"where": "https://join.skype.com/XXXXXX",
"description": "This webinar assumes you have read Doc Browns introduction paper on flux capacitance"
}' | show_and_keep_id)

echo "2. Look at its seats"
curl --silent --show-error --request GET \
--url "$URL/v2/bookings/groups/$GROUP" \
--user ":$KEY" | show

echo "3. Book a seat"
SEAT=$(curl --silent --show-error --request POST \
--url "$URL/v2/bookings" \
--user ":$KEY" \
--data '{
"graph": "group_customer",
"related": {
"owner_booking_id": "'"$GROUP"'",
"seats": 1
},
"customer": {
"name": "Marty McFly",
"email": "marty.mcfly@timekit.io"
}
}' | show_and_keep_id)

echo "4. Cancel that seat"
curl --silent --show-error --request PUT \
--url "$URL/v2/bookings/$SEAT/cancel_by_customer" \
--user ":$KEY" \
--data '{
"cancel_by_customer": {
"message": "Double booked. Sorry, Doc!"
}
}' | show

echo "5. See who comes"
curl --silent --show-error --request GET \
--url "$URL/v2/bookings/$GROUP?include=related_bookings.customers" \
--user ":$KEY" | show

echo "6. Cancel the whole group"
curl --silent --show-error --request PUT \
--url "$URL/v2/bookings/$GROUP/cancel" \
--user ":$KEY" \
--data '{
"cancel": {
"message": "Down with the flu, sorry! -Doc."
}
}' | show
