"""Scenarios for the checker's own tests: a good history, of which one thing is then broken."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4, uuid5

from shared.domain.events import Event, GroupCancelled, SeatBooked, SeatCancelled
from shared.eventlog.chain import GENESIS, canonical_metadata, leaf, link
from shared.eventlog.codec import encode_event
from shared.eventlog.record import StoredRecord
from tests.harness.checker.evidence import (
    CountRow,
    Evidence,
    Operation,
    Published,
    ReadModels,
    SeatRow,
)
from tests.harness.checker.folding import fold_groups
from tests.harness.events.ledger import NOON, created


@dataclass
class Scenario:
    """Clients that act one after the other, a second each; the log they make, without a fault."""

    operations: list[Operation] = field(default_factory=list)
    log: list[StoredRecord] = field(default_factory=list)
    now: float = 0.0
    capacities: dict[UUID, int] = field(default_factory=dict)
    lie: int = 0

    def create(self, max_seats: int = 2) -> UUID:
        group_id = uuid4()
        self.capacities[group_id] = max_seats
        self.tell("create", group_id, group_id, created(group_id, max_seats).event)
        return group_id

    def book(self, group_id: UUID, seats: int = 1, **told: Any) -> UUID:
        booking_id: UUID = told.pop("booking_id", None) or uuid4()
        event = SeatBooked(
            **self.facts(group_id, booking_id, seats),
            graph="group_customer",
            seats=seats,
            customer_ref=b"c" * 16,
            sealed=b"sealed",
        )
        self.tell("book", group_id, booking_id, event, seats=seats, **told)
        return booking_id

    def cancel(self, group_id: UUID, booking_id: UUID, seats: int = 1) -> None:
        event = SeatCancelled(
            **self.facts(group_id, booking_id, -seats), by="customer", seats=seats
        )
        self.tell("cancel", group_id, booking_id, event)

    def cancel_group(self, group_id: UUID) -> None:
        facts = {**self.facts(group_id, group_id, 0), "current_seats": 0}
        self.tell("cancel_group", group_id, group_id, GroupCancelled(**facts, seat_bookings=0))

    def refused(self, group_id: UUID, seats: int = 1, code: str = "sold_out") -> None:
        self.note("book", group_id, uuid4(), outcome="refused", code=code, seats=seats)

    def read(self, group_id: UUID, shown: int, **told: Any) -> None:
        self.note("read", group_id, None, shown=shown, **told)

    def facts(self, group_id: UUID, booking_id: UUID, change: int) -> dict[str, Any]:
        booked = fold_groups(self.log)[group_id].booked
        return {
            "at": NOON,
            "booking_id": booking_id,
            "current_seats": booked + change + self.lie,
            "max_seats": self.capacities[group_id],
        }

    def tell(self, kind: str, group_id: UUID, about: UUID, event: Event, **told: Any) -> None:
        """The operation and its event."""
        command_id = uuid4()
        record = self.append(group_id, event, uuid5(command_id, "0"))
        self.note(kind, group_id, about, command_id=command_id, position=record.position, **told)

    def note(self, kind: str, group_id: UUID, about: UUID | None, **told: Any) -> None:
        """The operation alone."""
        began, self.now = self.now, self.now + 1
        given = {
            "command_id": uuid4() if kind != "read" else None,
            "invoked_at": began,
            "ended_at": began + 0.5,
            "outcome": "ok",
            **told,
        }
        operation = Operation(kind=kind, group_id=group_id, booking_id=about, **given)  # type: ignore[arg-type]
        self.operations.append(operation)

    def append(self, group_id: UUID, event: Event, event_id: UUID) -> StoredRecord:
        version = 1 + sum(1 for record in self.log if record.group_id == group_id)
        position, at = len(self.log) + 1, NOON + timedelta(seconds=len(self.log))
        state = encode_event(event)
        own = leaf(
            group_id, version, event.TOPIC, state, event_id, event.booking_id,
            canonical_metadata({}),
        )  # fmt: skip
        previous = self.log[-1].hash if self.log else GENESIS
        record = StoredRecord(
            position, group_id, version, event.TOPIC, state, event_id, event.booking_id, {}, at,
            link(previous, position, at, own),
        )  # fmt: skip
        self.log.append(record)
        return record

    def evidence(self) -> Evidence:
        """What everyone would have seen of it."""
        ids = [record.event_id for record in self.log]
        head = self.log[-1]
        models = self.read_models()
        published = [_message(record) for record in self.log]
        return Evidence(self.operations, self.log, head.position, head.hash, models, ids, published)

    def read_models(self) -> ReadModels:
        groups = fold_groups(self.log)
        counts = {
            group_id: CountRow(group.last.record.version, group.booked, group.last.capacity)
            for group_id, group in groups.items()
        }
        seats = {
            booking_id: SeatRow(seat.state, seat.seats)
            for group in groups.values()
            for booking_id, seat in group.seats.items()
        }
        return ReadModels(counts, seats, len(self.log))


def _message(record: StoredRecord) -> Published:
    body = b"{}" + record.state
    return Published(record.event_id, record.group_id, record.version, 0, record.booking_id, body)


def a_good_scenario() -> tuple[Scenario, UUID]:
    """Two seats: booked, one given back, booked again, then refused; with reads in between."""
    scenario = Scenario()
    group_id = scenario.create(max_seats=2)
    first = scenario.book(group_id)
    scenario.read(group_id, shown=1)
    scenario.book(group_id)
    scenario.refused(group_id)
    scenario.cancel(group_id, first)
    scenario.read(group_id, shown=1)
    scenario.book(group_id)
    return scenario, group_id


def changed(evidence: Evidence, index: int, change: Callable[[Operation], Operation]) -> Evidence:
    """The same with one operation told differently."""
    operations: Sequence[Operation] = [
        change(operation) if number == index % len(evidence.operations) else operation
        for number, operation in enumerate(evidence.operations)
    ]
    return replace(evidence, operations=operations)
