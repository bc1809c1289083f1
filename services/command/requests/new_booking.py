"""`POST /v2/bookings`: a JSON object becomes a `NewGroup` or `NewSeats`, or is told what is wrong.

Contract section 4. Pure: what time it is, and the app's zone, come with the call.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.booking_api.circumstances import Circumstances
from shared.booking_api.new_groups import NewGroup, new_group
from shared.booking_api.new_seats import NewCustomer, NewSeats, new_seats
from shared.booking_api.reading.json_body import read_object
from shared.booking_api.reading.validation import SAVING, failed
from shared.booking_api.states import SEAT_GRAPHS

__all__ = [
    "Circumstances",
    "NewCustomer",
    "NewGroup",
    "NewSeats",
    "new_booking",
    "read_new_booking",
]


def read_new_booking(body: bytes, circumstances: Circumstances) -> NewGroup | NewSeats:
    """What a create request asks for; BodyRefused, PayloadTooLarge or ValidationFailed."""
    return new_booking(read_object(body), circumstances)


def new_booking(value: Mapping[str, Any], circumstances: Circumstances) -> NewGroup | NewSeats:
    """As `read_new_booking`, from a parsed object: its `graph` decides what it is."""
    graph = value.get("graph")
    if graph in SEAT_GRAPHS:
        return new_seats(value, circumstances)
    if graph == "group_owner":
        return new_group(value, circumstances)
    if graph is None:
        raise failed("graph", "is required", action=SAVING)
    known = ", ".join(("group_owner", *SEAT_GRAPHS))
    raise failed("graph", f"must be one of {known}", action=SAVING)
