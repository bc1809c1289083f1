"""Folds groups out of the stored JSON, independently of the product's code."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from shared.eventlog.record import StoredRecord

HOLDING = frozenset({"tentative", "confirmed", "paid", "completed"})
ENDED_BY_OWNER = {"tentative", "confirmed", "paid"}


@dataclass
class FoldedSeat:
    """A seat booking as the events left it."""

    state: str
    seats: int

    @property
    def held(self) -> int:
        return self.seats if self.state in HOLDING else 0


@dataclass(frozen=True, slots=True)
class Step:
    """One event and the group's seat count right after it: as folded, and as the event says."""

    record: StoredRecord
    kind: str
    fields: Mapping[str, Any]
    booked: int
    said: int
    capacity: int
    fault: str = ""


@dataclass
class FoldedGroup:
    """A stream, step by step."""

    group_id: UUID
    steps: list[Step] = field(default_factory=list)
    seats: dict[UUID, FoldedSeat] = field(default_factory=dict)

    @property
    def booked(self) -> int:
        return sum(seat.held for seat in self.seats.values())

    @property
    def last(self) -> Step:
        return self.steps[-1]

    def take(self, record: StoredRecord) -> None:
        """One more event, in the order of its version."""
        kind = record.topic.removeprefix("seatledger.")
        fields = json.loads(record.state)
        fault = _apply(self, kind, fields, UUID(fields["booking_id"]))
        said, capacity = fields["current_seats"], fields["max_seats"]
        self.steps.append(Step(record, kind, fields, self.booked, said, capacity, fault))


def fold_groups(log: Iterable[StoredRecord]) -> dict[UUID, FoldedGroup]:
    """Every stream of the log, folded in the order of versions."""
    groups: dict[UUID, FoldedGroup] = {}
    for record in sorted(log, key=lambda one: (one.group_id.bytes, one.version)):
        groups.setdefault(record.group_id, FoldedGroup(record.group_id)).take(record)
    return groups


def _apply(group: FoldedGroup, kind: str, fields: Mapping[str, Any], booking_id: UUID) -> str:
    """Changes the group's seats; the fault, in one word, of an event that cannot follow."""
    match kind:
        case "seat_booked":
            return _book(group, fields, booking_id)
        case "seat_cancelled":
            by = "cancelled_by_customer" if fields["by"] == "customer" else "cancelled_by_owner"
            return _free(group, booking_id, fields["seats"], by, fields["seats_left"])
        case "seat_expired":
            return _free(group, booking_id, fields["seats"], "unpaid", 0)
        case "seat_paid" | "seat_completed":
            group.seats[booking_id].state = kind.removeprefix("seat_")
        case "group_cancelled":
            _move_all(group, ENDED_BY_OWNER, "cancelled_by_owner")
        case "group_completed":
            _move_all(group, {"confirmed", "paid"}, "completed")
    return ""


def _book(group: FoldedGroup, fields: Mapping[str, Any], booking_id: UUID) -> str:
    fault = "booked_twice" if booking_id in group.seats else ""
    state = "confirmed" if fields["graph"] == "group_customer" else "tentative"
    group.seats[booking_id] = FoldedSeat(state, fields["seats"])
    return fault


def _free(group: FoldedGroup, booking_id: UUID, seats: int, state: str, left: int) -> str:
    seat = group.seats.get(booking_id)
    if seat is None or seat.held - seats != left:
        return "freed_twice"
    group.seats[booking_id] = FoldedSeat(seat.state if left else state, left or seat.seats)
    return ""


def _move_all(group: FoldedGroup, states: Iterable[str], to: str) -> None:
    for seat in group.seats.values():
        if seat.state in states:
            seat.state = to


def by_position(log: Sequence[StoredRecord]) -> list[StoredRecord]:
    """The log in its own order."""
    return sorted(log, key=lambda record: record.position)
