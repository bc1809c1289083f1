"""The group: its state, and `evolve`, the one function that says what each event does to it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from shared.domain.events import (
    AttendeesErased,
    BookingDeleted,
    CapacityChanged,
    Event,
    GroupCancelled,
    GroupCompleted,
    GroupCreated,
    GroupRescheduled,
    GroupSettings,
    MetaChanged,
    SeatBooked,
    SeatCancelled,
    SeatCompleted,
    SeatExpired,
    SeatPaid,
)
from shared.domain.lifecycle import (
    cancelled_state,
    initial_state,
    moved_with_group,
)
from shared.domain.meta import merge_meta
from shared.domain.revisions import Revisions, revises
from shared.domain.seats import REF_BYTES, Holds, Seat, Seats, SeatState

GroupPhase = Literal["tentative", "completed", "cancelled"]


@dataclass(slots=True)
class Group:
    """A group after `version` events. `evolve` changes it in place; `draft()` keeps it safe."""

    group_id: UUID
    version: int = 0
    state: GroupPhase = "tentative"
    created: GroupCreated | None = None
    settings: GroupSettings = field(default_factory=lambda: GroupSettings(max_seats=0))
    current_seats: int = 0
    changed_at: datetime | None = None
    deleted: bool = False
    seats: Seats = field(default_factory=Seats)
    holds: Holds = field(default_factory=Holds)
    revisions: Revisions = field(default_factory=Revisions)
    new_keys: Mapping[UUID, int] = field(default_factory=dict)
    """How often a booking got a new key; bookings that kept their first one are not in it."""

    @property
    def exists(self) -> bool:
        return self.created is not None

    def draft(self) -> Group:
        """A copy to try events on; this one is untouched until `merge`."""
        return Group(
            self.group_id,
            self.version,
            self.state,
            self.created,
            self.settings,
            self.current_seats,
            self.changed_at,
            self.deleted,
            self.seats.draft(),
            self.holds.draft(),
            self.revisions.draft(),
            self.new_keys,
        )

    def merge(self, draft: Group) -> None:
        """Take over what a committed draft changed."""
        self.seats.merge(draft.seats)
        self.holds.merge(draft.holds)
        self.revisions.merge(draft.revisions)
        self.version, self.state, self.created = draft.version, draft.state, draft.created
        self.settings, self.current_seats = draft.settings, draft.current_seats
        self.changed_at, self.deleted = draft.changed_at, draft.deleted
        self.new_keys = draft.new_keys


def evolve(group: Group, event: Event) -> Group:
    """The group after one more event: pure but for updating `group` itself, which it returns."""
    effect = _EFFECTS.get(type(event))
    if effect is not None:
        effect(group, event)
    group.version += 1
    group.current_seats = event.current_seats
    group.changed_at = event.at
    return group


def fold(group_id: UUID, events: Iterable[Event]) -> Group:
    """The group that these events, all from the first on, make."""
    group = Group(group_id)
    for event in events:
        evolve(group, event)
    return group


def _created(group: Group, event: GroupCreated) -> None:
    group.created = event
    group.settings = event.settings


def _booked(group: Group, event: SeatBooked) -> None:
    ref, by_mailbox = event.customer_ref[:REF_BYTES], len(event.customer_ref) > REF_BYTES
    state = initial_state(event.graph)
    seat = Seat(state, event.seats, ref, event.auto_complete, by_mailbox=by_mailbox)
    group.seats.put(event.booking_id, seat)
    if event.hold_until is not None:
        group.holds.add(event.hold_until, event.booking_id)


def _cancelled(group: Group, event: SeatCancelled) -> None:
    if event.seats_left:
        if revises(event):
            group.revisions.add(event.booking_id)
        seat = _seat(group, event.booking_id)
        group.seats.put(event.booking_id, seat._replace(seats=event.seats_left))
    else:
        _move(group, event.booking_id, cancelled_state(event))


def _ended(group: Group, event: GroupCancelled | GroupCompleted) -> None:
    group.state = "cancelled" if isinstance(event, GroupCancelled) else "completed"
    for booking_id, seat in list(group.seats.items()):
        state = moved_with_group(seat.state, event)
        if state is not None:
            _move(group, booking_id, state)


def _rescheduled(group: Group, event: GroupRescheduled) -> None:
    if group.created is not None:
        group.created = replace(group.created, start=event.start, end=event.end)


def _capacity(group: Group, event: CapacityChanged) -> None:
    group.settings = replace(group.settings, max_seats=event.max_seats)


def _meta(group: Group, event: MetaChanged) -> None:
    """A seat booking's is sealed: only that it changed is known."""
    if event.booking_id != group.group_id:
        group.revisions.add(event.booking_id)
    elif group.created is not None:
        group.created = replace(group.created, meta=merge_meta(group.created.meta, event.meta))


def _deleted(group: Group, event: BookingDeleted) -> None:
    if event.booking_id == group.group_id:
        group.deleted = True
    else:
        seat = _seat(group, event.booking_id)
        group.seats.put(event.booking_id, seat._replace(deleted=True))


def _attendees_erased(group: Group, event: AttendeesErased) -> None:
    before = group.new_keys.get(event.booking_id, 0)
    group.new_keys = {**group.new_keys, event.booking_id: before + 1}
    group.revisions.add(event.booking_id)


def _seat(group: Group, booking_id: UUID) -> Seat:
    seat = group.seats.get(booking_id)
    if seat is None:
        raise ValueError(f"group {group.group_id} has no seat booking {booking_id}")
    return seat


def _move(group: Group, booking_id: UUID, state: SeatState) -> None:
    seat = _seat(group, booking_id)
    group.seats.put(booking_id, seat._replace(state=state))
    group.holds.skip_ended(group.seats)


_EFFECTS: dict[type[Event], Callable[[Group, Any], None]] = {
    GroupCreated: _created,
    SeatBooked: _booked,
    SeatCancelled: _cancelled,
    SeatPaid: lambda group, event: _move(group, event.booking_id, "paid"),
    SeatExpired: lambda group, event: _move(group, event.booking_id, "unpaid"),
    SeatCompleted: lambda group, event: _move(group, event.booking_id, "completed"),
    GroupCancelled: _ended,
    GroupCompleted: _ended,
    GroupRescheduled: _rescheduled,
    CapacityChanged: _capacity,
    MetaChanged: _meta,
    AttendeesErased: _attendees_erased,
    BookingDeleted: _deleted,
}
