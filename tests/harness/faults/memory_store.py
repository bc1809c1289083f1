"""An event store in memory that fails on demand, and a clock that jumps: faults without waiting.

Its rules are `append()`'s, in forty lines: versions judge, a batch's groups are judged apart, a
known event id is an answer. What may go wrong is drawn from a seed, so every run can be repeated.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from shared.domain.events import Event
from shared.domain.group import Group, evolve
from shared.eventlog.chain import GENESIS, canonical_metadata, leaf, link
from shared.eventlog.codec import encode_event
from shared.eventlog.record import NewEvent, StoredRecord
from shared.eventlog.store import (
    Answered,
    Appended,
    BookingHistory,
    CommandAnswer,
    Confirmed,
    Conflict,
    Entry,
    GroupLock,
    MissingEvent,
    Outcome,
    OutcomeUnknown,
    StoredAnswer,
    StoreUnavailable,
)
from tests.harness.events.ledger import NOON


@dataclass
class MemoryLog:
    """What is durable; any number of stores share it."""

    records: list[StoredRecord] = field(default_factory=list)
    streams: dict[UUID, list[MissingEvent]] = field(default_factory=dict)
    answers: dict[UUID, CommandAnswer] = field(default_factory=dict)
    by_event: dict[UUID, StoredRecord] = field(default_factory=dict)

    def commit(self, entries: Sequence[Entry]) -> list[Outcome]:
        """All of a batch at one moment."""
        return [self._judge(entry) for entry in entries]

    def now(self) -> datetime:
        return NOON + timedelta(microseconds=len(self.records))

    def _judge(self, entry: Entry) -> Outcome:
        stream = self.streams.setdefault(entry.group_id, [])
        known = {a.command_id for a in entry.answers if self._is_known(a)}
        if known:
            return Answered(len(stream), frozenset(known))
        if len(stream) != entry.expected_version:
            return Conflict(len(stream), stream[entry.expected_version :])
        self.answers.update({answer.command_id: answer for answer in entry.answers})
        if not entry.events:
            return Confirmed(len(stream))
        at = self.now()
        for new in entry.events:
            self._add(entry.group_id, new, stream, at)
        return Appended(len(stream), len(self.records), at)

    def _is_known(self, answer: CommandAnswer) -> bool:
        return answer.command_id in self.answers or answer.first_event_id in self.by_event

    def _add(self, group_id: UUID, new: NewEvent, stream: list[MissingEvent], at: datetime) -> None:
        assert new.event_id not in self.by_event, "event ids are unique in the log"
        version, position = len(stream) + 1, len(self.records) + 1
        topic, state, booking_id = new.event.TOPIC, encode_event(new.event), new.event.booking_id
        who = canonical_metadata(new.metadata)
        own = leaf(group_id, version, topic, state, new.event_id, booking_id, who)
        before = self.records[-1].hash if self.records else GENESIS
        ids = (topic, state, new.event_id, booking_id, new.metadata, at)
        record = StoredRecord(position, group_id, version, *ids, link(before, position, at, own))
        self.records.append(record)
        self.by_event[new.event_id] = record
        stream.append(MissingEvent(new.event_id, new.event, version, position, at))


@dataclass(frozen=True, slots=True)
class Weather:
    """How often what goes wrong: shares of 1."""

    unavailable: float = 0.0
    lost_reply: float = 0.0
    lost_request: float = 0.0
    late_commit: float = 0.0
    slowness: int = 5


class MemoryEventStore:
    """One process's way to the log."""

    def __init__(self, log: MemoryLog, random: Random, weather: Weather) -> None:
        self.log = log
        self._random = random
        self._weather = weather
        self._late: list[Sequence[Entry]] = []

    async def append(self, entries: Sequence[Entry], wake_followers: bool = True) -> list[Outcome]:
        await self._wander()
        weather = self._weather
        if self._happens(weather.unavailable):
            raise StoreUnavailable("drawn")
        if self._happens(weather.lost_request):
            raise OutcomeUnknown("never arrived")
        if self._happens(weather.late_commit):
            self._late.append(entries)
            raise OutcomeUnknown("still running")
        outcomes = self.log.commit(entries)
        await self._wander()
        if self._happens(weather.lost_reply):
            raise OutcomeUnknown("the reply was lost")
        return outcomes

    async def append_atomically(
        self, entries: Sequence[Entry], wake_followers: bool = True
    ) -> list[Outcome]:
        raise NotImplementedError

    async def find_events(self, event_ids: Sequence[UUID]) -> list[StoredRecord]:
        await self._wander()
        if self._happens(self._weather.unavailable):
            raise StoreUnavailable("drawn")
        return [self.log.by_event[one] for one in event_ids if one in self.log.by_event]

    async def read_stream(self, group_id: UUID, after: int = 0) -> list[Event]:
        await self._wander()
        if self._happens(self._weather.unavailable):
            raise StoreUnavailable("drawn")
        return [one.event for one in self.log.streams.get(group_id, [])[after:]]

    async def read_group(self, group_id: UUID) -> tuple[Group, int]:
        group = Group(group_id)
        for event in await self.read_stream(group_id):
            evolve(group, event)
        return group, 0

    async def save_snapshot(self, group_id: UUID, version: int, state: bytes) -> None:
        await self._wander()

    async def take_lock(self, group_id: UUID, after: int) -> GroupLock | None:
        """Never to be had: locks only save conflicts, and conflicts are wanted here."""
        await self._wander()
        return None

    async def find_booking(self, booking_id: UUID) -> BookingHistory | None:
        raise NotImplementedError

    async def find_answer(self, command_id: UUID) -> StoredAnswer | None:
        answer = self.log.answers.get(command_id)
        if answer is None:
            return None
        return StoredAnswer(answer.booking_id, answer.request_hash, answer.answer, None)

    async def forget_former_answer(self, command_id: UUID) -> None:
        self.log.answers.pop(command_id, None)

    async def find_former_answer(
        self, command_id: UUID, event_id: UUID
    ) -> tuple[StoredAnswer | None, str | None]:
        record = self.log.by_event.get(event_id)
        actor = None if record is None else record.metadata.get("actor")
        return await self.find_answer(command_id), actor

    async def now(self) -> datetime:
        return self.log.now()

    async def _wander(self) -> None:
        """Others get a drawn number of turns of the loop; a statement left behind may run now."""
        for _ in range(self._random.randrange(self._weather.slowness)):
            await asyncio.sleep(0)
        if self._late and self._random.random() < 0.5:
            self.log.commit(self._late.pop())

    def _happens(self, share: float) -> bool:
        return self._random.random() < share


class JumpingLoop(asyncio.SelectorEventLoop):
    """Nobody waits: when there is nothing to do, the clock jumps to what is due next."""

    def __init__(self) -> None:
        super().__init__(_JumpingSelector(self))
        self.jumped = 0.0

    def time(self) -> float:
        return self.jumped


class _JumpingSelector(selectors.DefaultSelector):
    def __init__(self, loop: JumpingLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[Any]:
        if timeout is None:
            raise AssertionError("everybody waits, and nothing will ever happen")
        self._loop.jumped += max(timeout, 0)
        return super().select(0)


def run_jumping(work: Any) -> Any:
    """Runs a coroutine on a loop of its own whose clock jumps."""
    loop = JumpingLoop()
    try:
        return loop.run_until_complete(work)
    finally:
        loop.close()
