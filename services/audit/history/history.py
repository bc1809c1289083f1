"""History of a booking, event by event: who did it, what changed, how many seats were taken.

A seat booking's history includes its group's events that changed it. No personal data is decrypted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from shared.domain.events import Event, GroupCreated
from shared.domain.group import Group, evolve
from shared.eventlog.codec import UndecodableEvent, decode_event, decode_fields
from shared.eventlog.record import StoredRecord

_SHOWN_ELSEWHERE = frozenset({"at", "booking_id", "current_seats", "max_seats"})
_NEVER_SHOWN = frozenset({"customer_ref", "group_id"})


class BrokenHistory(Exception):
    """An event cannot be read, or does not follow from the ones before it: see verify."""


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One event as an auditor reads it."""

    position: int
    version: int
    recorded_at: datetime
    event: str
    event_id: UUID
    group_id: UUID
    booking_id: UUID
    current_seats: int
    max_seats: int
    metadata: Mapping[str, str]
    changes: Mapping[str, Any]

    @property
    def actor(self) -> str:
        return self.metadata.get("actor", "")

    @property
    def seats_after(self) -> str:
        return f"{self.current_seats}/{self.max_seats}"


def history_of(booking_id: UUID, records: Iterable[StoredRecord]) -> Iterator[HistoryEntry]:
    """The entries of a group's records that concern the booking: all of them for the group."""
    group: Group | None = None
    for record in records:
        group = group or Group(record.group_id)
        before = group.seats.get(booking_id)
        try:
            event = decode_event(record.topic, record.state)
            evolve(group, event)
        except (UndecodableEvent, ValueError) as error:
            raise BrokenHistory(f"the event at position {record.position}: {error}") from error
        moved = group.seats.get(booking_id) != before
        if booking_id in (record.group_id, record.booking_id) or moved:
            yield entry_of(record, event)


def entry_of(record: StoredRecord, event: Event) -> HistoryEntry:
    """A record as an auditor reads it."""
    return HistoryEntry(
        position=record.position,
        version=record.version,
        recorded_at=record.recorded_at,
        event=type(event).__name__,
        event_id=record.event_id,
        group_id=record.group_id,
        booking_id=record.booking_id,
        current_seats=event.current_seats,
        max_seats=event.max_seats,
        metadata=record.metadata,
        changes=_changes(record, event),
    )


def brief(entry: HistoryEntry) -> str:
    """The changes in one line; a new group's are its time, name and seats."""
    shown = dict(entry.changes)
    if entry.event == GroupCreated.__name__:
        shown = {name: shown[name] for name in ("what", "start", "end") if name in shown}
    plain = {name: value for name, value in shown.items() if not isinstance(value, dict | list)}
    return " ".join(f"{name}={value}" for name, value in plain.items() if value != "sealed")


def _changes(record: StoredRecord, event: Event) -> dict[str, Any]:
    """The event's own fields, without those at their default; sealed ones are named only."""
    stored = decode_fields(record.topic, record.state, record.group_id)
    own = {field.name for field in fields(event)} - _SHOWN_ELSEWHERE - _NEVER_SHOWN
    changes = {name: stored[name] for name in stored if name in own and stored[name] not in _BLANK}
    if "sealed" in changes:
        changes["sealed"] = "sealed"
    return changes


_BLANK: tuple[object, ...] = (None, "", [], {})
