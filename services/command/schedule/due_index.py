"""Read model of due work: which bookings time acts on, and when groups occupy resources.

Whoever asks brings it up to the log's head first, under a row lock, so any process may: what was
committed before the question is in the answer (decision 0011).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from shared.domain.events import (
    BookingDeleted,
    Event,
    GroupCancelled,
    GroupCompleted,
    GroupCreated,
    GroupRescheduled,
    SeatBooked,
    SeatCancelled,
    SeatCompleted,
    SeatExpired,
    SeatPaid,
)
from shared.domain.lifecycle import COMPLETES_AFTER
from shared.eventlog.checkpoint import Checkpoint
from shared.eventlog.codec import UndecodableEvent, decode_event
from shared.eventlog.statements import statement
from shared.runtime.postgres import Connection

BATCH = 2_000
_ENDINGS = (SeatCancelled, SeatExpired, SeatCompleted, BookingDeleted)
_TOPICS = [
    event.TOPIC
    for event in (
        *(GroupCreated, GroupRescheduled, GroupCancelled, GroupCompleted),
        *(SeatBooked, SeatPaid, *_ENDINGS),
    )
]


class DueWork(NamedTuple):
    """An action that is due for a booking."""

    booking_id: UUID
    action: str
    group_id: UUID
    app_id: UUID
    due_at: datetime


@dataclass(frozen=True, slots=True)
class _Group:
    group_id: UUID
    app_id: UUID
    resource_id: UUID
    start_at: datetime
    end_at: datetime
    auto_complete: bool
    is_open: bool = True

    @property
    def completes_at(self) -> datetime:
        return self.end_at + COMPLETES_AFTER


def sql(name: str) -> str:
    return statement(name, "services.command.schedule")


async def catch_up(connection: Connection) -> int:
    """Applies the log up to its head as it is now; how many positions that were.

    Each batch is a transaction of its own, unless the caller holds one.
    """
    statements = sql("take_checkpoint"), sql("move_checkpoint")
    checkpoint = Checkpoint("due work", connection.fetchval, *statements)
    head: int = await connection.fetchval(sql("log_head"))
    applied = 0
    while (count := await _one_batch(connection, checkpoint, head)) > 0:
        applied += count
    return applied


async def _one_batch(connection: Connection, checkpoint: Checkpoint, head: int) -> int:
    async with connection.transaction():
        position = await checkpoint.take()
        upto = min(position + BATCH, head)
        if upto <= position:
            return 0
        rows = await connection.fetch(sql("news"), position, _TOPICS, upto - position)
        changes = _Changes(await _groups(connection, {row[0] for row in rows}))
        for group_id, topic, state in rows:
            changes.add(group_id, topic, state)
        await changes.write(connection)
        await connection.execute("SET LOCAL synchronous_commit TO off")  # it can be read again
        await checkpoint.move(position, upto)
        return upto - position


async def _groups(connection: Connection, ids: set[UUID]) -> dict[UUID, _Group]:
    rows = await connection.fetch(sql("load_groups"), list(ids))
    return {row[0]: _Group(*row) for row in rows}


@dataclass(slots=True)
class _Changes:
    """What a batch of events adds up to."""

    groups: dict[UUID, _Group]
    touched: set[UUID] = field(default_factory=set)
    moved: set[UUID] = field(default_factory=set)
    ended: dict[UUID, Sequence[str]] = field(default_factory=dict)
    work: dict[tuple[UUID, str], DueWork | None] = field(default_factory=dict)

    def add(self, group_id: UUID, topic: str, state: bytes) -> None:
        """One event; a poisonous one is for others to report, and makes nothing due."""
        try:
            event = decode_event(topic, state)
        except UndecodableEvent:
            return
        if isinstance(event, GroupCreated):
            self._created(group_id, event)
        elif group_id in self.groups:
            self._happened(self.groups[group_id], event)

    def _created(self, group_id: UUID, event: GroupCreated) -> None:
        group = _Group(
            *(group_id, event.app_id, event.resource_id, event.start, event.end),
            event.auto_complete,
        )
        self._put(group)
        if event.auto_complete:
            self._expect(group, group_id, "complete", group.completes_at)

    def _happened(self, group: _Group, event: Event) -> None:
        if isinstance(event, SeatBooked):
            self._booked(group, event)
        elif isinstance(event, SeatPaid):
            self._paid(group, event.booking_id)
        elif isinstance(event, GroupRescheduled):
            self._rescheduled(replace(group, start_at=event.start, end_at=event.end))
        elif isinstance(event, GroupCancelled):
            self._ended(group, ("complete", "timeout"))
        elif isinstance(event, GroupCompleted):
            self._ended(group, ("complete",))
        elif not (isinstance(event, SeatCancelled) and event.seats_left):
            self.work[event.booking_id, "timeout"] = None
            self.work[event.booking_id, "complete"] = None

    def _booked(self, group: _Group, event: SeatBooked) -> None:
        if event.hold_until is not None:
            self._expect(group, event.booking_id, "timeout", event.hold_until)
        if event.auto_complete and not group.auto_complete:
            self._expect(group, event.booking_id, "complete", group.completes_at)

    def _paid(self, group: _Group, booking_id: UUID) -> None:
        """In a group that has completed it completes too: in the same commit, unless a process of
        an earlier version took the payment."""
        self.work[booking_id, "timeout"] = None
        if not group.is_open:
            self._expect(group, booking_id, "complete", group.completes_at)

    def _rescheduled(self, group: _Group) -> None:
        self._put(group)
        self.moved.add(group.group_id)
        for key, work in self.work.items():
            if work is not None and work.group_id == group.group_id and work.action == "complete":
                self.work[key] = work._replace(due_at=group.completes_at)

    def _ended(self, group: _Group, actions: Sequence[str]) -> None:
        self._put(replace(group, is_open=False))
        self.ended[group.group_id] = actions
        for key, work in self.work.items():
            if work is not None and work.group_id == group.group_id and work.action in actions:
                self.work[key] = None

    def _put(self, group: _Group) -> None:
        self.groups[group.group_id] = group
        self.touched.add(group.group_id)

    def _expect(self, group: _Group, booking_id: UUID, action: str, at: datetime) -> None:
        work = DueWork(booking_id, action, group.group_id, group.app_id, at)
        self.work[booking_id, action] = work

    async def write(self, connection: Connection) -> None:
        saved = [_columns(self.groups[group_id]) for group_id in self.touched]
        await _each(connection, "save_group", saved)
        await _each(connection, "forget_group", [(g, list(a)) for g, a in self.ended.items()])
        moved = [(g, self.groups[g].completes_at) for g in self.moved]
        await _each(connection, "move_group", moved)
        gone = [key for key, work in self.work.items() if work is None]
        await _each(connection, "forget_work", gone)
        await _each(connection, "save_work", [w for w in self.work.values() if w is not None])


async def _each(connection: Connection, name: str, rows: Sequence[Sequence[Any]]) -> None:
    if rows:
        await connection.executemany(sql(name), rows)


def _columns(group: _Group) -> tuple[Any, ...]:
    return (
        *(group.group_id, group.app_id, group.resource_id, group.start_at, group.end_at),
        *(group.auto_complete, group.is_open),
    )
