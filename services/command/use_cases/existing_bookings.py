"""Commands about an existing booking, made of its history in the log: never of a cache.

What a message or a payment id says is sealed with the booking's key before anything is decided.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

import pydantic_core

from services.command.commit.reply import Render, Reply, ResponseOptions, booking_reply
from services.command.requests.actions import Action
from services.command.requests.changes import CapacityChange, Reschedule
from services.command.rules.commands import (
    Act,
    ChangeCapacity,
    ChangeMeta,
    DeleteBooking,
    RefuseReschedule,
    RescheduleGroup,
)
from services.command.use_cases.call_context import CallContext
from services.command.use_cases.included import NOTHING_INCLUDED, IncludedHistories
from services.command.use_cases.views import group_view, open_group, open_seat, seat_view
from shared.booking_api.details import (
    SEALED_MESSAGE,
    SEALED_META,
    SEALED_PAYMENT,
    GroupDetails,
    attendees_to_seal,
)
from shared.booking_api.reading.fields import size_of
from shared.booking_api.rendering.bookings import render_booking
from shared.booking_api.rendering.views import BookingView, GroupView
from shared.domain.events import AttendeesErased, Event, JsonObject, SeatBooked
from shared.domain.group import Group
from shared.domain.mailbox_address import mailbox
from shared.domain.meta import merge_meta
from shared.domain.revisions import revises
from shared.eventlog.privacy import BookingKey, MasterKey
from shared.eventlog.store import BookingHistory


@dataclass(frozen=True, slots=True)
class ExistingBooking:
    """The booking a request is about: its history, its key (None once erased), and, where the
    reply shows them, its group's own history and details, and what is included."""

    history: BookingHistory
    key: BookingKey | None
    owner: BookingHistory
    owner_details: GroupDetails = field(default_factory=GroupDetails)
    included: IncludedHistories = NOTHING_INCLUDED

    @property
    def graph(self) -> str:
        booked = self.history.events[0]
        return booked.graph if isinstance(booked, SeatBooked) else "group_owner"

    @property
    def bulk_id(self) -> UUID | None:
        """What it shares with the bookings that one bulk call made together."""
        bulk_id: UUID | None = getattr(self.history.events[0], "bulk_id", None)
        return bulk_id

    @property
    def revisions(self) -> int:
        """How often its sealed details changed."""
        return sum(map(revises, self.history.events))

    def seal(self, name: str, value: object) -> bytes | None:
        """`value` under the booking's seal; None once its key is gone."""
        return None if self.key is None else self.key.seal(name, pydantic_core.to_json(value))


def open_booking(
    history: BookingHistory,
    master: MasterKey,
    owner: BookingHistory | None = None,
    included: IncludedHistories = NOTHING_INCLUDED,
) -> ExistingBooking:
    """The booking with its key; `owner`: its group's history, when the reply shows it."""
    group = owner if owner is not None else history
    details = open_group(group.events, _key(group, master))
    return ExistingBooking(history, _key(history, master), group, details, included)


def _key(history: BookingHistory, master: MasterKey) -> BookingKey | None:
    wrapped = history.wrapped_key
    return None if wrapped is None else master.unwrap(history.booking_id, wrapped)


def act(booking: ExistingBooking, action: Action, context: CallContext, due: bool = False) -> Act:
    """An action of the booking's graph; `due`: time itself acts."""
    command = Act(
        **_whose(booking, context),
        action=action.name,
        graph=booking.graph,
        seats=action.seats,
        due=due,
        sealed=_sealed(booking, action),
    )
    if action.seats is None:
        return command
    before = open_seat(booking.history.events, booking.key).attendees
    known = {mailbox(one.email) for one in before if one.email}
    named = action.attendees or ()
    return replace(
        command,
        attendees=None if action.attendees is None else len(named),
        named_before=len(before),
        new_addresses=len({mailbox(one.email) for one in named if one.email} - known),
        revisions=booking.revisions,
    )


def _sealed(booking: ExistingBooking, action: Action) -> bytes | None:
    if action.payment_id is not None:
        return booking.seal(SEALED_PAYMENT, {"payment_id": action.payment_id})
    said: dict[str, object] = {}
    if action.message is not None:
        said["message"] = action.message
    if action.attendees is not None:
        said["attendees"] = attendees_to_seal(action.attendees)
    return booking.seal(SEALED_MESSAGE, said) if said else None


def change_meta(booking: ExistingBooking, meta: JsonObject, context: CallContext) -> ChangeMeta:
    """Meta keys to set or remove: a group's in the open, a seat booking's sealed."""
    if booking.graph == "group_owner":
        return ChangeMeta(**_whose(booking, context), meta=meta)
    before = open_seat(booking.history.events, booking.key).meta
    return ChangeMeta(
        **_whose(booking, context),
        sealed=booking.seal(SEALED_META, meta),
        before=size_of(before),
        after=size_of(merge_meta(before, meta)),
        revisions=booking.revisions,
    )


def change_capacity(
    booking: ExistingBooking, change: CapacityChange, context: CallContext
) -> ChangeCapacity:
    """Another number of seats for a group."""
    return ChangeCapacity(
        **_whose(booking, context), max_seats=change.max_seats, when_over=change.when_over
    )


def reschedule(
    booking: ExistingBooking, change: Reschedule, context: CallContext
) -> RescheduleGroup:
    """Another time for a group."""
    return RescheduleGroup(**_whose(booking, context), start=change.start, end=change.end)


def refuse_reschedule(booking: ExistingBooking, context: CallContext) -> RefuseReschedule:
    """Nothing, said only to those who may know of the booking."""
    return RefuseReschedule(**_whose(booking, context), graph=booking.graph)


def delete(booking: ExistingBooking, context: CallContext) -> DeleteBooking:
    """Hide an ended booking."""
    return DeleteBooking(**_whose(booking, context))


def show(booking: ExistingBooking, options: ResponseOptions, over: bool = False) -> Render:
    """The reply that shows the booking after the command's events; with `over` also by how many
    seats the group is over its number of them."""

    def render(group: Group, events: Sequence[Event]) -> Reply:
        owner = owner_after(booking, group, events)
        view = view_after(booking, group, owner, events)
        surroundings = booking.included.of(group, owner, view, events)
        shape = render_booking(view, options.includes, options.rendering, surroundings)
        if over:
            shape["over_by"] = max(group.current_seats - group.settings.max_seats, 0)
        return booking_reply(200, shape)

    return render


def show_nothing(group: Group, events: Sequence[Event]) -> Reply:
    """204, as for a deleted booking."""
    return Reply(204, b"")


def owner_after(booking: ExistingBooking, group: Group, events: Sequence[Event]) -> GroupView:
    """The booking's group as it is once `events` happened to it."""
    own = [*booking.owner.events, *(e for e in events if e.booking_id == group.group_id)]
    return group_view(group, own, booking.owner_details)


def view_after(
    booking: ExistingBooking, group: Group, owner: GroupView, events: Sequence[Event]
) -> BookingView:
    """The booking as it is once `events` happened to its group."""
    booking_id = booking.history.booking_id
    if booking_id == group.group_id:
        return owner
    own = [*booking.history.events, *(e for e in events if e.booking_id == booking_id)]
    return seat_view(group, owner, own, open_seat(own, booking.key))


def _whose(booking: ExistingBooking, context: CallContext) -> dict[str, Any]:
    common: dict[str, Any] = {
        "app_id": context.app_id,
        "group_id": booking.history.group_id,
        "booking_id": booking.history.booking_id,
        "metadata": context.metadata,
        "new_keys": sum(isinstance(one, AttendeesErased) for one in booking.history.events),
    }
    return common
