"""`include=logs`: a booking's activity log, which action led to which state, by whom.

An owner's cancel or completion is one event of the group; here each seat booking it moved shows it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from shared.booking_api.rendering.views import BookingView, LogEntry, SeatView
from shared.domain.events import (
    AttendeesErased,
    BookingDeleted,
    CapacityChanged,
    CustomerErased,
    Event,
    GroupCancelled,
    GroupCompleted,
    GroupCreated,
    GroupRescheduled,
    MetaChanged,
    SeatBooked,
    SeatCancelled,
    SeatCompleted,
    SeatExpired,
    SeatPaid,
)
from shared.domain.lifecycle import moved_with_group, moves_seats, state_after
from shared.eventlog.codec import UndecodableEvent, decode_event
from shared.eventlog.statements import statements_of
from shared.runtime.postgres import Connection

sql = statements_of(__package__)

_ACTIONS: Mapping[type[Event], str] = {
    GroupCreated: "create",
    SeatBooked: "create",
    SeatPaid: "pay",
    SeatExpired: "timeout",
    SeatCompleted: "complete",
    GroupCancelled: "cancel",
    GroupCompleted: "complete",
    GroupRescheduled: "reschedule",
    CapacityChanged: "update",
    MetaChanged: "update",
    CustomerErased: "erase",
    AttendeesErased: "erase",
    BookingDeleted: "delete",
}


class _Happened(NamedTuple):
    """An event at its place among the others."""

    place: int
    event_id: UUID
    event: Event
    actor: str


async def logs_of(
    connection: Connection, views: Sequence[BookingView]
) -> dict[UUID, list[LogEntry]]:
    """Each booking's entries, the oldest first."""
    wanted = {view.id for view in views} | {v.group.id for v in views if isinstance(v, SeatView)}
    happened: dict[UUID, list[_Happened]] = {}
    rows = await connection.fetch(sql("histories"), list(wanted))
    for place, (booking_id, event_id, topic, state, actor) in enumerate(rows):
        try:
            event = decode_event(topic, state)
        except UndecodableEvent:
            continue
        happened.setdefault(booking_id, []).append(_Happened(place, event_id, event, actor or ""))
    return {view.id: _entries(view, happened) for view in views}


def _entries(view: BookingView, happened: Mapping[UUID, list[_Happened]]) -> list[LogEntry]:
    own = list(happened.get(view.id, ()))
    if isinstance(view, SeatView):
        own += [one for one in happened.get(view.group.id, ()) if moves_seats(one.event)]
    entries: list[LogEntry] = []
    state = ""
    for one in sorted(own, key=lambda happened: happened.place):
        step = _step(one.event, state, isinstance(view, SeatView))
        if step is not None:
            action, state = step
            entries.append(_entry(one, action, state))
    return entries


def _entry(one: _Happened, action: str, state: str) -> LogEntry:
    at = one.event.at
    return LogEntry(id=one.event_id, action=action, state=state, actor=one.actor, created_at=at)


def _step(event: Event, state: str, is_seat: bool) -> tuple[str, str] | None:
    """The action and the state after it; None when the booking was not moved by it."""
    if isinstance(event, SeatCancelled):
        return f"cancel_by_{event.by}", state_after(event) or state
    action = _ACTIONS[type(event)]
    if is_seat and moves_seats(event):
        moved = moved_with_group(state, event)
        return None if moved is None else (action, moved)
    return action, state_after(event) or state
