"""Requests about a booking that exists become commands: it is found in the log, never in a cache.

What a message or a payment id says is sealed with the booking's key before anything is decided.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pydantic_core

from services.command.commands import (
    Act,
    ChangeCapacity,
    ChangeMeta,
    DeleteBooking,
    RescheduleGroup,
)
from services.command.intent import Intent
from services.command.reply import Render, Reply, Shown, booking_reply
from services.command.views import group_view, open_group, open_seat, seat_view
from shared.booking_api.actions import Action
from shared.booking_api.bookings import render_booking
from shared.booking_api.changes import CapacityChange, Reschedule
from shared.booking_api.details import (
    SEALED_MESSAGE,
    SEALED_META,
    SEALED_PAYMENT,
    GroupDetails,
)
from shared.booking_api.errors import NotReschedulable
from shared.booking_api.views import BookingView
from shared.domain.events import Event, JsonObject, SeatBooked
from shared.domain.group import Group
from shared.eventlog.privacy import BookingKey, MasterKey
from shared.eventlog.store import BookingHistory


@dataclass(frozen=True, slots=True)
class Subject:
    """The booking a request is about: its history, its key (None once erased), and its group's
    details where the reply shows them."""

    history: BookingHistory
    key: BookingKey | None
    owner: GroupDetails = field(default_factory=GroupDetails)

    @property
    def graph(self) -> str:
        booked = self.history.events[0]
        return booked.graph if isinstance(booked, SeatBooked) else "group_owner"

    def seal(self, name: str, value: object) -> bytes | None:
        """`value` under the booking's seal; None once its key is gone."""
        return None if self.key is None else self.key.seal(name, pydantic_core.to_json(value))


def open_subject(
    history: BookingHistory, master: MasterKey, owner: BookingHistory | None = None
) -> Subject:
    """The booking with its key; `owner`: its group's history, when the reply shows it."""
    group = owner if owner is not None else history
    details = open_group(group.events, _key(group, master))
    return Subject(history, _key(history, master), details)


def _key(history: BookingHistory, master: MasterKey) -> BookingKey | None:
    wrapped = history.wrapped_key
    return None if wrapped is None else master.unwrap(history.booking_id, wrapped)


def act(subject: Subject, action: Action, intent: Intent) -> Act:
    """An action of the booking's graph."""
    sealed = None
    if action.message is not None:
        sealed = subject.seal(SEALED_MESSAGE, {"message": action.message})
    elif action.payment_id is not None:
        sealed = subject.seal(SEALED_PAYMENT, {"payment_id": action.payment_id})
    return Act(
        **_whose(subject, intent),
        action=action.name,
        graph=subject.graph,
        seats=action.seats,
        sealed=sealed,
    )


def change_meta(subject: Subject, meta: JsonObject, intent: Intent) -> ChangeMeta:
    """Meta keys to set or remove: a group's in the open, a seat booking's sealed."""
    if subject.graph == "group_owner":
        return ChangeMeta(**_whose(subject, intent), meta=meta)
    return ChangeMeta(**_whose(subject, intent), sealed=subject.seal(SEALED_META, meta))


def change_capacity(subject: Subject, change: CapacityChange, intent: Intent) -> ChangeCapacity:
    """Another number of seats for a group."""
    return ChangeCapacity(
        **_whose(subject, intent), max_seats=change.max_seats, when_over=change.when_over
    )


def reschedule(subject: Subject, change: Reschedule, intent: Intent) -> RescheduleGroup:
    """Another time for a group; NotReschedulable for a seat booking."""
    if subject.graph != "group_owner":
        raise NotReschedulable(subject.graph)
    return RescheduleGroup(**_whose(subject, intent), start=change.start, end=change.end)


def delete(subject: Subject, intent: Intent) -> DeleteBooking:
    """Hide an ended booking."""
    return DeleteBooking(**_whose(subject, intent))


def show(subject: Subject, shown: Shown, status: int = 200) -> Render:
    """The reply that shows the booking after the command's events."""

    def render(group: Group, events: Sequence[Event]) -> Reply:
        view = view_after(subject, group, events)
        return booking_reply(status, render_booking(view, shown.includes, shown.rendering))

    return render


def show_nothing(group: Group, events: Sequence[Event]) -> Reply:
    """204, as for a deleted booking."""
    return Reply(204, b"")


def view_after(subject: Subject, group: Group, events: Sequence[Event]) -> BookingView:
    """The booking as it is once `events` happened to its group."""
    booking_id = subject.history.booking_id
    own = [*subject.history.events, *(e for e in events if e.booking_id == booking_id)]
    if booking_id == group.group_id:
        return group_view(group, own, subject.owner)
    owner = group_view(group, (), subject.owner)
    return seat_view(group, owner, own, open_seat(own, subject.key))


def _whose(subject: Subject, intent: Intent) -> dict[str, Any]:
    common: dict[str, Any] = {
        "app_id": intent.app_id,
        "group_id": subject.history.group_id,
        "booking_id": subject.history.booking_id,
        "metadata": intent.metadata,
    }
    return common
