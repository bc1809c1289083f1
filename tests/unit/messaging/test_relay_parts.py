"""The relay's small parts: how far it is, a group in its order, and what is read and made once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.query.relay.broker.publisher import Nacked, PublishFailed
from services.query.relay.confirmed_positions import ConfirmedPositions
from services.query.relay.group_queues import AHEAD, BEHIND, Detour, Flight, GroupQueues, start
from services.query.relay.message_cache import EncodedMessage, MessageCache
from services.query.relay.pipeline import RETURNS_AT_ONCE, RETURNS_PER_SECOND, ReturnBudget
from services.query.relay.term import Trouble
from shared.amqp.frames import Content
from shared.eventlog.codec import UndecodableEvent, encode_event
from shared.eventlog.election import Term
from shared.eventlog.record import StoredRecord
from shared.eventlog.wakeup import Wakeup
from tests.harness.events.ledger import booked

MESSAGE = EncodedMessage("key", Content(b"", b""))
GROUPS = [UUID(int=number) for number in range(3)]


def record(position: int, group_id: UUID = GROUPS[0]) -> StoredRecord:
    event = booked(UUID(int=position)).event
    return StoredRecord(
        position,
        group_id,
        position,
        event.TOPIC,
        encode_event(event),
        UUID(int=position),
        UUID(int=position),
        {},
        datetime.now(UTC),
        b"",
    )


@given(st.permutations(range(11, 31)), st.integers(0, 20))
def test_the_checkpoint_is_the_highest_position_below_which_all_is_done(
    order: list[int], count: int
) -> None:
    progress = ConfirmedPositions(10)
    for position in order[:count]:
        progress.done(position)
    done = set(order[:count])
    expected = next((each - 1 for each in range(11, 31) if each not in done), 30)
    assert progress.checkpoint == expected
    assert all(progress.is_done(each) == (each in done) for each in range(11, 31))


class Runway:
    """GroupQueues whose departures wait to be landed, in any order."""

    def __init__(
        self,
        plan: Callable[[StoredRecord], EncodedMessage | Detour] = lambda _: MESSAGE,
        room: int = 2000,
    ) -> None:
        self.flying: list[Flight] = []
        self.departed: list[int] = []
        self.done: list[int] = []
        self.queues = GroupQueues(
            plan, self._depart, lambda each: self.done.append(each.position), room
        )

    def _depart(self, flight: Flight) -> None:
        self.flying.append(flight)
        self.departed.append(flight.record.position)

    def land(self, number: int = 0) -> None:
        self.queues.landed(self.flying.pop(number % len(self.flying)))


@given(st.lists(st.integers(0, 2), max_size=60), st.integers(0, 3), st.data())
def test_each_group_departs_and_is_done_in_its_order(
    groups: list[int], behind: int, data: st.DataObject
) -> None:
    async def run_all() -> None:
        runway = Runway()
        runway.queues.behind = behind
        owner = {position: group for position, group in enumerate(groups)}
        for position, group in owner.items():
            await runway.queues.put(record(position, GROUPS[group]))
            while len(runway.flying) > 0 and data.draw(st.booleans()):
                runway.land(data.draw(st.integers(0, 99)))
        while runway.flying:
            runway.land(data.draw(st.integers(0, 99)))
        await asyncio.wait_for(runway.queues.idle(), 1)
        for seen in (runway.departed, runway.done):
            assert sorted(seen) == list(owner)
            for group in range(3):
                mine = [position for position in seen if owner[position] == group]
                assert mine == sorted(mine)

    asyncio.run(run_all())


async def test_groups_go_side_by_side_and_one_group_never() -> None:
    runway = Runway()
    for position in range(9):
        await runway.queues.put(record(position, GROUPS[position % 3]))
    assert runway.departed == [0, 1, 2]
    runway.land(1)
    assert runway.departed == [0, 1, 2, 4]


async def test_only_a_group_far_behind_is_sent_several_ahead() -> None:
    runway = Runway()
    for position in range(BEHIND):
        await runway.queues.put(record(position))
    assert runway.departed == [0]
    await runway.queues.put(record(BEHIND))
    assert runway.departed == [0, 1]
    for position in range(BEHIND + 1, 3 * AHEAD):
        await runway.queues.put(record(position))
    assert len(runway.flying) == AHEAD
    runway.land(AHEAD - 1)
    assert runway.done == [], "done before those before it"


async def test_what_takes_longer_has_its_group_for_itself() -> None:
    async def detour() -> None: ...

    runway = Runway(lambda each: detour if each.position == 2 else MESSAGE)
    runway.queues.behind = 0
    for position in range(5):
        await runway.queues.put(record(position))
    assert runway.departed == [0, 1]
    runway.land(1)
    assert runway.departed == [0, 1]
    runway.land()
    assert runway.departed == [0, 1, 2]
    runway.land()
    assert runway.departed == [0, 1, 2, 3, 4]


async def test_no_more_is_taken_than_there_is_room_for() -> None:
    runway = Runway(room=2)
    await runway.queues.put(record(1))
    await runway.queues.put(record(2))
    third = asyncio.ensure_future(runway.queues.put(record(3, GROUPS[1])))
    await asyncio.sleep(0)
    assert not third.done()
    runway.land()
    await third
    assert runway.departed == [1, 2, 3]


async def test_what_comes_while_everything_ends_is_refused_and_left_behind_by_nobody() -> None:
    async def work() -> None: ...

    async def late(tasks: asyncio.TaskGroup) -> None:
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            start(tasks, work())  # an unawaited coroutine fails the test

    with pytest.raises(ExceptionGroup) as failures:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(late(tasks))
            await asyncio.sleep(0)
            raise ValueError
    assert failures.value.subgroup(RuntimeError)


def test_a_message_is_rendered_once_for_all_outlets() -> None:
    cache = MessageCache(kept=2)
    one, two, three = (record(position) for position in (1, 2, 3))
    first = cache.message_of(one)
    assert first is not None and first is cache.message_of(one)
    cache.message_of(two)
    cache.message_of(three)
    assert cache.message_of(one) is not first
    assert cache.message_of(one) == first


def test_what_cannot_be_read_is_not_remembered() -> None:
    cache = MessageCache()
    with pytest.raises(UndecodableEvent):
        cache.message_of(replace(record(1), topic="seatledger.seat_upgraded"))
    assert cache.message_of(record(1)) is not None


def test_what_nobody_listens_for_is_looked_at_now_and_then() -> None:
    now = 0.0
    returns = ReturnBudget(lambda: now)
    asked = 0
    for _ in range(1000):
        if returns.may_ask():
            asked += 1
            returns.came_back()
    assert asked == RETURNS_AT_ONCE
    now = 1.0
    while returns.may_ask():
        asked += 1
        returns.came_back()
    assert asked == RETURNS_AT_ONCE + RETURNS_PER_SECOND
    now = 3600.0
    assert all(returns.may_ask() for _ in range(1000)), "somebody listens"


class Reporting(Term):
    """A term without a database."""

    def __init__(self) -> None:
        self.name = "relay"
        self.said: list[str | None] = []

    async def report(self, trouble: str | None) -> None:
        self.said.append(trouble)


async def test_after_a_refusal_one_of_a_group_at_a_time_is_under_way() -> None:
    term, progress = Reporting(), ConfirmedPositions(0)
    trouble = Trouble(term, progress)
    assert trouble.behind(BEHIND) == BEHIND
    await trouble.note(PublishFailed("connection lost"))
    assert trouble.behind(BEHIND) == BEHIND
    progress.start(7)
    await trouble.note(Nacked("refused (nack)"))
    assert trouble.behind(0) > 1_000_000
    assert term.said == ["PublishFailed: connection lost", "Nacked: refused (nack)"]


async def test_waiting_for_news_is_cancelled_even_if_the_news_comes_at_that_moment() -> None:
    wakeup = Wakeup("nowhere")
    waiting = asyncio.create_task(wakeup.wait(wakeup.token()))
    for _ in range(3):
        await asyncio.sleep(0)
    wakeup._tell()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
