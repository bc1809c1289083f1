"""Commands for tests, complete but for what a test cares about."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from services.command.commit.reply import Reply
from services.command.rules.commands import Act, BookSeats, CreateGroup
from shared.domain.events import Event, GroupDescription, GroupSettings
from shared.domain.group import Group
from shared.eventlog.record import BookingKeyRow
from tests.harness.events.ledger import NOON

APP = UUID(int=7)
DAY = timedelta(days=1)


def create_group(max_seats: int = 40, **settings: Any) -> CreateGroup:
    """Opens a group that starts a day after NOON."""
    group_id = uuid4()
    return CreateGroup(
        app_id=APP,
        group_id=group_id,
        booking_id=group_id,
        about=GroupDescription(
            resource_id=uuid4(),
            start=NOON + DAY,
            end=NOON + DAY + timedelta(hours=1),
            time_zone="UTC",
            what="A webinar",
        ),
        settings=GroupSettings(max_seats=max_seats, **settings),
        auto_complete=True,
        meta={},
        reminders=(),
        webhooks={},
    )


def book_seats(group_id: UUID, seats: int = 1, **fields: Any) -> BookSeats:
    """Books seats for a customer of their own."""
    booking_id = uuid4()
    given: dict[str, Any] = {
        "app_id": APP,
        "booking_id": booking_id,
        "graph": "group_customer",
        "customer_ref": booking_id.bytes,
        "hold": timedelta(minutes=5),
        "auto_complete": True,
        "reminders": (),
        "webhooks": {},
        "sealed": b"sealed",
        **fields,
    }
    key = BookingKeyRow(given["booking_id"], group_id, b"wrapped", given["customer_ref"])
    return BookSeats(group_id=group_id, seats=seats, key=key, **given)


def act(group_id: UUID, booking_id: UUID, action: str, **fields: Any) -> Act:
    """Applies an action; to the group itself when both ids are the same."""
    graph = "group_owner" if group_id == booking_id else "group_customer"
    given = {"app_id": APP, "graph": graph, **fields}
    return Act(group_id=group_id, booking_id=booking_id, action=action, **given)


def plain(group: Group, events: Sequence[Event]) -> Reply:
    """A reply that says how many seats are taken."""
    return Reply(201, str(group.current_seats).encode())
