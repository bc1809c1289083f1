"""The appender merges what is ready into one append, and nobody is left without an answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID, uuid4

import pytest

from services.command.commit import appender as module
from services.command.commit.appender import SALE_COMMANDS, Appender, NotifyLimiter
from services.command.commit.clock import DatabaseClock
from services.command.commit.mailbox import Mailbox
from services.command.commit.queued_command import OutcomeNotKnown, QueuedCommand
from shared.booking_api.errors import InternalError, TooBusy
from shared.eventlog.record import StoredRecord
from shared.eventlog.store import (
    Appended,
    Conflict,
    Entry,
    EventStore,
    MissingEvent,
    Outcome,
    OutcomeUnknown,
    StoreUnavailable,
)
from tests.harness.events.commands_waiting import booking, failure, mailbox_of, others_booked
from tests.harness.events.ledger import NOON

ROUNDS = 100
LATER = NOON + timedelta(hours=1)


class ScriptedStore:
    """Appends all at once, unless told to fail; keeps what it was asked."""

    def __init__(self, *failures: Exception | None) -> None:
        self.failures = list(failures)
        self.asked: list[list[Entry]] = []
        self.is_asked = asyncio.Event()
        self.poison: set[UUID] = set()
        self.conflicts: set[UUID] = set()

    async def append(self, entries: Sequence[Entry], wake_followers: bool = True) -> list[Outcome]:
        self.asked.append(list(entries))
        self.is_asked.set()
        await asyncio.sleep(0)
        failure = self.failures.pop(0) if self.failures else None
        if failure is not None:
            raise failure
        if any(new.event.booking_id in self.poison for entry in entries for new in entry.events):
            raise ValueError("cannot be stored")
        return [self._outcome(entry) for entry in entries]

    async def find_events(self, event_ids: Sequence[UUID]) -> list[StoredRecord]:
        raise OutcomeUnknown

    def _outcome(self, entry: Entry) -> Outcome:
        version = entry.expected_version + len(entry.events)
        if entry.group_id in self.conflicts:
            self.conflicts.discard(entry.group_id)
            return Conflict(2, [others_booked(entry.group_id, 2)])
        return Appended(version, 7, LATER)


class Appending:
    """An appender with a scripted store, and those who are told of its mailboxes."""

    def __init__(self, store: ScriptedStore) -> None:
        self.store = store
        self.clock = DatabaseClock(NOON)
        self.settled: list[Mailbox] = []
        self.gone_on: list[Mailbox] = []
        self.appender = Appender(
            cast(EventStore, store), self.clock, self.settled.append, self.go_on
        )

    def go_on(self, mailbox: Mailbox) -> None:
        self.gone_on.append(mailbox)
        if mailbox.group is not None:
            self.appender.enqueue(mailbox)

    async def answered(self, *ones: QueuedCommand) -> None:
        """Waits until each of them has an answer, or was told why not."""
        await asyncio.wait_for(asyncio.wait({one.future for one in ones}), 20)

    async def rested(self) -> None:
        """Lets the appender finish what it has begun."""
        for _ in range(ROUNDS):
            await asyncio.sleep(0)


@asynccontextmanager
async def appending(store: ScriptedStore, *mailboxes: Mailbox) -> AsyncIterator[Appending]:
    running = Appending(store)
    for mailbox in mailboxes:
        running.appender.enqueue(mailbox)
    task = asyncio.create_task(running.appender.run())
    try:
        yield running
        assert not task.done()
    finally:
        task.cancel()
        await asyncio.wait({task})


def waiting(count: int = 1) -> tuple[Mailbox, list[QueuedCommand]]:
    """A mailbox with so many bookings, and who waits for them."""
    group_id = uuid4()
    ones = [booking(group_id, deadline=1e12) for _ in range(count)]
    return mailbox_of(group_id, *ones), ones


class AGroupLock:
    missing: Sequence[MissingEvent] = ()
    is_over = False

    def end(self) -> None:
        self.is_over = True


async def test_all_that_is_ready_goes_into_one_append() -> None:
    store = ScriptedStore()
    (first, ones), (second, others) = waiting(2), waiting()
    async with appending(store, first, second, first) as running:
        await running.answered(*ones, *others)
        await running.rested()
    [entries] = store.asked
    assert [len(entry.events) for entry in entries] == [2, 1]
    assert [one.future.result().position for one in (*ones, *others)] == [7, 7, 7]
    assert running.settled == [first, second]
    assert running.gone_on == []


async def test_what_came_during_an_append_goes_into_the_next_one() -> None:
    store = ScriptedStore()
    mailbox, ones = waiting()
    async with appending(store, mailbox) as running:
        await store.is_asked.wait()
        late = booking(mailbox.group_id, deadline=1e12)
        mailbox.put(late)
        running.appender.enqueue(mailbox)
        await running.answered(*ones, late)
        await running.rested()
    assert [len(entries) for entries in store.asked] == [1, 1]
    assert running.gone_on == [mailbox]
    assert running.settled == [mailbox, mailbox]


async def test_an_append_has_room_for_so_many_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_COMMANDS", 3)
    store = ScriptedStore()
    boxes = [waiting(2) for _ in range(3)]
    async with appending(store, *(mailbox for mailbox, _ in boxes)) as running:
        await running.answered(*(one for _, ones in boxes for one in ones))
    sizes = [[len(entry.events) for entry in entries] for entries in store.asked]
    assert sizes == [[2, 1], [2, 1]]


async def test_the_databases_time_is_taken_over() -> None:
    mailbox, ones = waiting()
    async with appending(ScriptedStore(), mailbox) as running:
        await running.answered(*ones)
    assert running.clock.now() >= LATER


async def test_after_a_conflict_it_is_decided_again() -> None:
    store = ScriptedStore()
    mailbox, ones = waiting()
    store.conflicts.add(mailbox.group_id)
    async with appending(store, mailbox) as running:
        await running.answered(*ones)
    assert [entry.expected_version for [entry] in store.asked] == [1, 2]
    assert ones[0].future.result().body == b"2"


@pytest.mark.parametrize(
    ("failure_of_it", "told"),
    [(StoreUnavailable("away"), TooBusy), (OutcomeUnknown(), OutcomeNotKnown)],
)
async def test_a_store_that_is_away_is_told_and_the_group_is_read_again(
    monkeypatch: pytest.MonkeyPatch, failure_of_it: Exception, told: type[Exception]
) -> None:
    async def append_for_sure(*_: Any) -> list[Outcome]:
        raise failure_of_it

    monkeypatch.setattr(module, "append_for_sure", append_for_sure)
    mailbox, ones = waiting()
    mailbox.lock = lock = AGroupLock()
    async with appending(ScriptedStore(), mailbox) as running:
        await running.answered(*ones)
        await running.rested()
    assert type(failure(ones[0])) is told
    assert mailbox.group is None and mailbox.in_flight is None
    assert lock.is_over
    assert (running.settled, running.gone_on) == ([mailbox], [mailbox])


async def test_a_command_that_cannot_be_stored_is_found_one_by_one() -> None:
    store = ScriptedStore()
    (first, ones), (second, others) = waiting(3), waiting(2)
    bad = ones[1]
    store.poison.add(bad.command.booking_id)
    async with appending(store, first, second) as running:
        await running.answered(*ones, *others)
        more, last = waiting(2)
        running.appender.enqueue(more)
        await running.answered(*last)
    assert isinstance(failure(bad), InternalError)
    assert all(one.future.result().status == 201 for one in (*ones, *others) if one is not bad)
    sizes = [[len(entry.events) for entry in entries] for entries in store.asked]
    assert sizes == [[3, 2], *[[1]] * 5, [2]]


async def test_a_mailbox_without_wishes_gives_its_turn_back() -> None:
    mailbox, ones = waiting()
    ones[0].future.cancel()
    mailbox.lock = lock = AGroupLock()
    store = ScriptedStore()
    async with appending(store, mailbox) as running:
        await running.rested()
    assert lock.is_over and store.asked == []


async def test_a_turn_is_kept_until_its_append_is_over() -> None:
    mailbox, ones = waiting()
    mailbox.lock = lock = AGroupLock()
    store = ScriptedStore()
    async with appending(store, mailbox, mailbox) as running:
        await store.is_asked.wait()
        assert not lock.is_over
        await running.answered(*ones)
        await running.rested()
    assert lock.is_over


async def test_a_mailbox_under_way_is_not_queued_again() -> None:
    mailbox, _ = waiting(2)
    mailbox.prepare(NOON, 0.0, 1)
    running = Appending(ScriptedStore())
    running.appender.enqueue(mailbox)
    assert not running.appender._work.is_set()


def test_followers_are_woken_at_most_so_often(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter((10.0, 10.25, 10.5, 10.75, 11.0))
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: next(times)))
    limiter = NotifyLimiter(0.5)
    assert [limiter.is_due(1) for _ in range(5)] == [True, False, True, False, True]


def test_in_a_sale_followers_are_woken_more_rarely(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter((10.0, 10.5, 11.0, 11.5))
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: next(times)))
    limiter = NotifyLimiter(0.5, 1.0)
    due = [limiter.is_due(commands) for commands in (SALE_COMMANDS, SALE_COMMANDS, 1, 64)]
    assert due == [True, False, True, False]
