"""What a group decides: a command becomes events or a refusal, and nothing else happens.

`decide` is pure: the time, the ids and the sealed data come in with the command.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from itertools import islice
from typing import Any
from uuid import UUID

from services.command.rules import changes
from services.command.rules.actions import act
from services.command.rules.booking import book, create
from services.command.rules.commands import (
    Act,
    BookSeats,
    ChangeCapacity,
    ChangeMeta,
    Command,
    CreateGroup,
    DeleteBooking,
    EraseCustomer,
    RefuseReschedule,
    RescheduleGroup,
)
from services.command.rules.event_fields import Decision, Outdated
from shared.booking_api.errors import ApiError
from shared.domain.events import Event, SeatExpired
from shared.domain.group import Group, evolve

MAX_EXPIRED_AT_ONCE = 900
"""So that no append exceeds 1,000 events; what is left expires with the next command."""


_DECISIONS: dict[type[Command], Callable[[Group, Any, datetime], Decision]] = {
    CreateGroup: create,
    BookSeats: book,
    Act: act,
    RescheduleGroup: changes.reschedule,
    RefuseReschedule: changes.refuse_reschedule,
    ChangeCapacity: changes.change_capacity,
    ChangeMeta: changes.change_meta,
    DeleteBooking: changes.delete,
    EraseCustomer: changes.erase,
}


def decide(group: Group, command: Command, now: datetime) -> Decision:
    """The events that `command` causes at `now`, or why not. `group` is not changed.

    Overdue payment holds expire first, so that their seats are free for this command. Raises
    Outdated when it was prepared from sealed details, or sealed by a key, that changed since.
    """
    if _is_outdated(group, command):
        raise Outdated
    expired = overdue(group, now)
    if expired:
        group = group.draft()
        for event in expired:
            evolve(group, event)
    decision = _DECISIONS[type(command)](group, command, now)
    return decision if isinstance(decision, ApiError) else [*expired, *decision]


def _is_outdated(group: Group, command: Command) -> bool:
    """Whether what the command was prepared from has changed: details, or the key that seals."""
    booking_id, seen = command.booking_id, command.revisions
    if seen is not None and seen != group.revisions.of(booking_id):
        return True
    if command.sealed is None or command.key is not None:  # a booking's first key comes with it
        return False
    return command.new_keys != group.new_keys.get(booking_id, 0)


def overdue(group: Group, now: datetime) -> list[Event]:
    """A SeatExpired for every hold that ended by `now`, in booking order, also of a group that
    has ended meanwhile."""
    events: list[Event] = []
    left = group.current_seats
    for booking_id in islice(group.holds.overdue(now), MAX_EXPIRED_AT_ONCE):
        seat = group.seats.get(booking_id)
        if seat is not None and seat.state == "tentative":
            left -= seat.seats
            events.append(_expired(group, booking_id, seat.seats, left, now))
    return events


def _expired(group: Group, booking_id: UUID, seats: int, left: int, now: datetime) -> Event:
    return SeatExpired(
        at=now,
        booking_id=booking_id,
        current_seats=left,
        max_seats=group.settings.max_seats,
        seats=seats,
    )
