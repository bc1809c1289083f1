"""The tutorial's request bodies, byte for byte but for ids and dates, as curl sends them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

CURL = {"Content-Type": "application/x-www-form-urlencoded"}
"""What curl says of `--data`; the bodies are JSON all the same."""

CREATE_GROUP = """{
"resource_id": "78a4d873-2a68-41c6-bdd4-c0ca5b35efd3",
"project_id" : "3f5ad8b7-ef4e-4765-bb54-f2117c508a00" ,
"graph": "group_owner",
"settings": {
"max_seats": 20
},
"start": "2016-09-30T08:00:00-08:00",
"end": "2016-09-30T09:00:00-08:00",
"what": "Doc Brown's webinar on flux capacitance",
"where": "https://join.skype.com/XXXXXX",
"description": "This webinar assumes you have read Doc Browns introduction paper on flux capacitance"
}"""  # noqa: E501

BOOK_SEAT = """{
"graph": "group_customer",
"related": {
"owner_booking_id": "58190fc6-1ec0-4ebb-b627-7ce6aa9fc703",
"seats": 1
},
"customer": {
"name": "Marty McFly",
"email": "marty.mcfly@timekit.io"
}
}"""

CANCEL_BY_CUSTOMER = """{
"cancel_by_customer": {
"message": "Double booked. Sorry, Doc!"
}
}"""

CANCEL_BY_OWNER = """{
"cancel": {
"message": "Down with the flu, sorry! -Doc."
}
}"""


def create_group() -> bytes:
    """The webinar, tomorrow."""
    day = (datetime.now(UTC) + timedelta(days=1)).strftime("%Y-%m-%d")
    return CREATE_GROUP.replace("2016-09-30", day).encode()


def book_seat(group_id: UUID, name: str = "Marty McFly") -> bytes:
    """Marty's seat, or another one's."""
    body = BOOK_SEAT.replace("58190fc6-1ec0-4ebb-b627-7ce6aa9fc703", str(group_id))
    email = name.lower().replace(" ", ".")
    return body.replace("Marty McFly", name).replace("marty.mcfly", email).encode()
