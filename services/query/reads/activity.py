"""`include=logs`: a booking's activity log, which action led to which state, by whom.

An owner's cancel or completion is one event of the group; here each seat booking it moved shows it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from services.query.connection import Connection
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
from shared.domain.seats import LIVE
from shared.eventlog.codec import UndecodableEvent, decode_event
from shared.eventlog.statements import statements_of

sql = statements_of(__package__)

_STEPS: Mapping[type[Event], tuple[str, str | None]] = {
    GroupCreated: ("create", "tentative"),
    SeatPaid: ("pay", "paid"),
    SeatExpired: ("timeout", "unpaid"),
    SeatCompleted: ("complete", "completed"),
    GroupCancelled: ("cancel", "cancelled"),
    GroupCompleted: ("complete", "completed"),
    GroupRescheduled: ("reschedule", None),
    CapacityChanged: ("update", None),
    MetaChanged: ("update", None),
    CustomerErased: ("erase", None),
    AttendeesErased: ("erase", None),
    BookingDeleted: ("delete", None),
}
_WITH_GROUP: Mapping[type[Event], str] = {
    GroupCancelled: "cancelled_by_owner",
    GroupCompleted: "completed",
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
        own += [one for one in happened.get(view.group.id, ()) if type(one.event) in _WITH_GROUP]
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
    if isinstance(event, SeatBooked):
        return "create", "confirmed" if event.graph == "group_customer" else "tentative"
    if isinstance(event, SeatCancelled):
        action = f"cancel_by_{event.by}"
        return action, state if event.seats_left else f"cancelled_by_{event.by}"
    action, after = _STEPS[type(event)]
    if is_seat and type(event) in _WITH_GROUP:
        may = state in LIVE and (state != "tentative" or isinstance(event, GroupCancelled))
        return (action, _WITH_GROUP[type(event)]) if may else None
    return action, after or state
