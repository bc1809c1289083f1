"""Rows of groups and attendees for a spreadsheet, folded from the ledger one group at a time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from services.audit.history.history import BrokenHistory
from services.audit.postgres import Ledger
from shared.booking_api.details import SeatDetails, details_after
from shared.booking_api.rendering.spreadsheet import cell
from shared.domain.events import AttendeesErased, Event, SeatBooked, SeatCancelled
from shared.domain.group import Group, evolve
from shared.eventlog.codec import UndecodableEvent, decode_event
from shared.eventlog.privacy import MasterKey

GROUP_COLUMNS = (
    *("group_id", "app_id", "state", "what", "start", "end", "max_seats", "current_seats"),
    *("seat_bookings", "created_at", "deleted"),
)
SEAT_COLUMNS = (
    *("booking_id", "group_id", "app_id", "graph", "state", "seats", "booked_at", "deleted"),
)
PERSONAL_COLUMNS = ("name", "email", "phone", "attendees")
Row = Mapping[str, Any]


@dataclass(slots=True)
class Folded:
    """A whole group, how each of its seat bookings began, and what named other people since."""

    group: Group
    booked: dict[UUID, SeatBooked] = field(default_factory=dict)
    renamed: dict[UUID, list[Event]] = field(default_factory=dict)


async def folded_groups(ledger: Ledger, app_id: UUID | None) -> AsyncIterator[Folded]:
    """Every group of the app, or of all, as it is now."""
    until = (await ledger.head()).position
    current: Folded | None = None
    async with aclosing(ledger.stream_pages(until)) as pages:
        async for rows in pages:
            for group_id, _, position, topic, state in rows:
                if current is None or group_id != current.group.group_id:
                    if current is not None and _is_of(current, app_id):
                        yield current
                    current = Folded(Group(group_id))
                _fold(current, position, topic, state)
    if current is not None and _is_of(current, app_id):
        yield current


def _fold(folded: Folded, position: int, topic: str, state: bytes) -> None:
    try:
        event = decode_event(topic, state)
        evolve(folded.group, event)
    except (UndecodableEvent, ValueError) as error:
        raise BrokenHistory(f"the event at position {position}: {error}") from error
    if isinstance(event, SeatBooked):
        folded.booked[event.booking_id] = event
    if isinstance(event, SeatCancelled | AttendeesErased):
        folded.renamed.setdefault(event.booking_id, []).append(event)


def _is_of(folded: Folded, app_id: UUID | None) -> bool:
    created = folded.group.created
    return created is not None and app_id in (None, created.app_id)


def group_row(folded: Folded) -> Row:
    """A group's line."""
    group, created = folded.group, folded.group.created
    assert created is not None
    values = (
        *(group.group_id, created.app_id, group.state, cell(created.what)),
        *(created.start.isoformat(), created.end.isoformat()),
        *(group.settings.max_seats, group.current_seats, len(folded.booked)),
        *(created.at.isoformat(), group.deleted),
    )
    return dict(zip(GROUP_COLUMNS, values, strict=True))


def seat_rows(
    folded: Folded, master: MasterKey | None, wrapped: Mapping[UUID, bytes]
) -> Iterator[Row]:
    """A line a seat booking; with a master key also who it is, while they are not erased."""
    group, created = folded.group, folded.group.created
    assert created is not None
    for booking_id, seat in group.seats.items():
        booked = folded.booked[booking_id]
        values = (
            *(booking_id, group.group_id, created.app_id, booked.graph, seat.state, seat.seats),
            *(booked.at.isoformat(), seat.deleted),
        )
        row = dict(zip(SEAT_COLUMNS, values, strict=True))
        if master is not None and booking_id in wrapped:
            key = master.unwrap(booking_id, wrapped[booking_id])
            details = SeatDetails()
            for event in (booked, *folded.renamed.get(booking_id, ())):
                details = details_after(details, event, key)
            row |= _person(details)
        yield row


def _person(details: SeatDetails) -> dict[str, Any]:
    customer = details.customer
    if customer is None:
        return {}
    names = "; ".join(one.name for one in details.attendees)
    values = (customer.name, customer.email, customer.phone, names)
    return {name: cell(text) for name, text in zip(PERSONAL_COLUMNS, values, strict=True)}
