"""Events for tests that need some in a log, with nothing in them that matters."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from shared.domain.events import GroupCreated, GroupSettings, SeatBooked
from shared.eventlog.record import NewEvent

NOON = datetime(2030, 5, 1, 12, tzinfo=UTC)


def created(group_id: UUID, max_seats: int = 40, app_id: UUID | None = None) -> NewEvent:
    """A new group of `max_seats` seats."""
    event = GroupCreated(
        at=NOON,
        booking_id=group_id,
        current_seats=0,
        max_seats=max_seats,
        app_id=app_id or UUID(int=7),
        resource_id=UUID(int=8),
        start=NOON + timedelta(days=1),
        end=NOON + timedelta(days=1, hours=1),
        time_zone="UTC",
        what="A webinar",
        settings=GroupSettings(max_seats=max_seats),
    )
    return NewEvent(uuid4(), event, {"actor": "test"})


def booked(booking_id: UUID | None = None, seats: int = 1, current_seats: int = 1) -> NewEvent:
    """A confirmed seat booking."""
    event = SeatBooked(
        at=NOON,
        booking_id=booking_id or uuid4(),
        current_seats=current_seats,
        max_seats=40,
        graph="group_customer",
        seats=seats,
        customer_ref=b"c" * 16,
        sealed=b"sealed",
    )
    return NewEvent(uuid4(), event, {"actor": "test"})
