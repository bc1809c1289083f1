"""The shortcut for the six base keys is the general rendering, byte for byte."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from services.command.commit.reply import Reply, ResponseOptions
from services.command.rules.decide import decide
from services.command.use_cases import new_bookings
from services.command.use_cases.call_context import CallContext
from services.command.use_cases.new_bookings import Owner, prepare_seats
from shared.booking_api.details import pack_seat, unpack_seat
from shared.booking_api.errors import ApiError
from shared.booking_api.new_seats import NewCustomer, NewSeats
from shared.booking_api.reading.timestamps import Rendering
from shared.booking_api.rendering.includes import NOTHING, parse_includes
from shared.booking_api.rendering.views import Attendee
from shared.domain.events import SeatGraph
from shared.domain.group import Group, evolve
from shared.eventlog.privacy import MasterKey
from tests.harness.events.ledger import NOON, created

APP = UUID(int=7)
GROUP = UUID(int=8)
ZONES = ("UTC", "Europe/Berlin", "America/St_Johns", "Asia/Kathmandu")
PATTERNS = (None, "Y-m-d", 'l, "jS" \\o\\f F Y h:i:s A', "c", "\\\\")
MASTER = MasterKey(b"m" * 32)


def booked(graph: SeatGraph, shown: ResponseOptions, after: timedelta) -> Reply:
    """The reply to a booking made so long after NOON, under a key that makes its id known."""
    new = NewSeats(graph, GROUP, 1, NewCustomer("Ann", "ann@example.org", "UTC"))
    intent = CallContext(app_id=APP, time_zone="UTC", metadata={}, command_id=UUID(int=9))
    ready = prepare_seats(new, intent, shown, MASTER, timedelta(minutes=5), Owner())
    group = evolve(Group(GROUP), created(GROUP, app_id=APP).event)
    events = decide(group, ready.command, NOON + after)
    assert not isinstance(events, ApiError)
    for event in events:
        evolve(group, event)
    return ready.render(group, events)


@given(
    st.sampled_from(["group_customer", "group_customer_payment"]),
    st.sampled_from(ZONES),
    st.sampled_from(PATTERNS),
    st.integers(0, 86_000_000),
)
def test_it_is_the_general_rendering(
    graph: SeatGraph, zone: str, pattern: str | None, milliseconds: int
) -> None:
    rendering = Rendering(ZoneInfo(zone), pattern)
    after = timedelta(milliseconds=milliseconds)
    short = booked(graph, ResponseOptions(NOTHING, rendering), after)
    full = booked(graph, ResponseOptions(parse_includes("meta"), rendering), after)
    assert short.status == full.status
    assert short.body == full.body.replace(b',"meta":{}', b"")


def test_what_is_sealed_is_what_is_read_back() -> None:
    who = NewCustomer("Ann", "ann@example.org", "Europe/Berlin", "1", "2", {"a": [1]})
    attendees = (Attendee("Bob"), Attendee("Cy", "cy@example.org"))
    new = NewSeats("group_customer", GROUP, 2, who, attendees, {"x": "y"})
    assert unpack_seat(
        pack_seat(new_bookings._customer_id(GROUP), new)
    ) == new_bookings._seat_details(GROUP, new)
