"""State of a booking after any of its events: folded from the ledger, as it was known then."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import takewhile
from typing import Any
from uuid import UUID

from services.audit.history.history import BrokenHistory
from shared.domain.group import Group, evolve
from shared.domain.seats import Seat
from shared.eventlog.codec import UndecodableEvent, decode_event
from shared.eventlog.record import StoredRecord


@dataclass(frozen=True, slots=True)
class Moment:
    """The end of what counts: a position, a time, or neither, which is now."""

    position: int | None = None
    at: datetime | None = None

    def covers(self, record: StoredRecord) -> bool:
        if self.position is not None:
            return record.position <= self.position
        return self.at is None or record.recorded_at <= self.at


def moment_of(text: str | None) -> Moment:
    """A position or an ISO 8601 time (in UTC if it names no zone); ValueError otherwise."""
    if text is None:
        return Moment()
    if text.isascii() and text.isdigit():
        return Moment(position=int(text))
    at = datetime.fromisoformat(text)
    return Moment(at=at if at.tzinfo is not None else at.replace(tzinfo=UTC))


def group_at(moment: Moment, records: Iterable[StoredRecord]) -> tuple[Group, int] | None:
    """The group at that moment and the position it stood at; None when it was not there yet."""
    group, position = None, 0
    for record in takewhile(moment.covers, records):
        group = group or Group(record.group_id)
        try:
            evolve(group, decode_event(record.topic, record.state))
        except (UndecodableEvent, ValueError) as error:
            raise BrokenHistory(f"the event at position {record.position}: {error}") from error
        position = record.position
    return (group, position) if group is not None and group.exists else None


def describe(booking_id: UUID, group: Group, position: int) -> dict[str, Any] | None:
    """The booking as plain values; None when the group does not have it yet."""
    if booking_id == group.group_id:
        return _group(group, position)
    seat = group.seats.get(booking_id)
    if seat is None:
        return None
    return {"group_id": str(group.group_id), "position": position, **_seat(booking_id, seat)}


def seat_rows(group: Group) -> Iterator[dict[str, Any]]:
    """The group's seat bookings, in the order in which they were booked."""
    return (_seat(booking_id, seat) for booking_id, seat in group.seats.items())


def _group(group: Group, position: int) -> dict[str, Any]:
    created = group.created
    return {
        "booking_id": str(group.group_id),
        "graph": "group_owner",
        "state": group.state,
        "deleted": group.deleted,
        "position": position,
        "version": group.version,
        "what": created.what if created is not None else "",
        "start": created.start.isoformat() if created is not None else None,
        "end": created.end.isoformat() if created is not None else None,
        "max_seats": group.settings.max_seats,
        "current_seats": group.current_seats,
        "seat_bookings": list(seat_rows(group)),
    }


def _seat(booking_id: UUID, seat: Seat) -> dict[str, Any]:
    return {
        "booking_id": str(booking_id),
        "state": seat.state,
        "seats": seat.seats,
        "deleted": seat.deleted,
    }
