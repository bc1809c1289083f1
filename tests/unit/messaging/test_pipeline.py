"""The pipeline without a broker: whatever is confirmed when, each group is sent in its order."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import cast
from uuid import UUID

import asyncpg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.query.relay.broker.publisher import Publisher, Told, Unroutable
from services.query.relay.destination import TO_REPLAY, TO_SUBSCRIBERS, Destination
from services.query.relay.message_cache import EncodedMessage
from services.query.relay.pipeline import Pipeline
from shared.amqp.frames import Content
from shared.eventlog.record import StoredRecord
from shared.messaging.topology import EVENTS, EVENTS_UNROUTED
from tests.unit.messaging.test_relay_parts import record

GROUPS = [UUID(int=number) for number in range(3)]
NO_POOL = cast("asyncpg.Pool[asyncpg.Record]", None)


@dataclass(slots=True)
class Sent:
    position: int
    told: Told
    exchange: str
    mandatory: bool


@dataclass(slots=True)
class Sending(Publisher):
    """Remembers what was sent; the test confirms it."""

    under_way: list[Sent] = field(default_factory=list)
    order: list[int] = field(default_factory=list)

    def send(
        self, content: Content, told: Told, exchange: str, key: str, mandatory: bool = True
    ) -> None:
        position = int(content.body)
        self.under_way.append(Sent(position, told, exchange, mandatory))
        self.order.append(position)


def message_of(record: StoredRecord) -> EncodedMessage:
    return EncodedMessage("key", Content(b"", str(record.position).encode()))


@settings(max_examples=60)
@given(
    st.lists(st.integers(0, 2), min_size=6, max_size=24),
    st.integers(1, 3),
    st.integers(0, 2),
    st.integers(2, 4),
    st.data(),
)
def test_with_a_full_window_each_group_is_still_sent_in_its_order(
    groups: list[int], window: int, behind: int, ahead: int, data: st.DataObject
) -> None:
    async def run_all() -> None:
        publisher, done = Sending(), list[int]()
        pipeline = Pipeline(NO_POOL, publisher, TO_SUBSCRIBERS, window=window)
        async with asyncio.TaskGroup() as tasks:
            queues = pipeline.open(tasks, message_of, lambda each: done.append(each.position))
            queues.behind, queues.ahead = behind, ahead

            def confirm_one() -> None:
                number = data.draw(st.integers(0, len(publisher.under_way) - 1))
                publisher.under_way.pop(number).told(True)
                assert len(publisher.under_way) <= window

            for position, group in enumerate(groups):
                await queues.put(record(position, GROUPS[group]))
                while len(publisher.under_way) > 0 and data.draw(st.booleans()):
                    confirm_one()
            while len(publisher.under_way) > 0:
                confirm_one()
            await asyncio.wait_for(queues.idle(), 1)
        for seen in (publisher.order, done):
            assert sorted(seen) == list(range(len(groups)))
            for group in range(3):
                mine = [position for position in seen if groups[position] == group]
                assert mine == sorted(mine)

    asyncio.run(run_all())


async def test_what_waits_for_the_window_is_not_overtaken_by_its_own_group() -> None:
    publisher = Sending()
    pipeline = Pipeline(NO_POOL, publisher, TO_REPLAY, window=1)
    async with asyncio.TaskGroup() as tasks:
        queues = pipeline.open(tasks, message_of, lambda _: None)
        queues.behind, queues.ahead = 0, 2
        for position in range(5):
            await queues.put(record(position))
        while len(publisher.under_way) > 0:
            publisher.under_way.pop().told(True)
    assert publisher.order == [0, 1, 2, 3, 4]


async def put_one(destination: Destination) -> tuple[Sending, list[int]]:
    publisher, done = Sending(), list[int]()
    pipeline = Pipeline(NO_POOL, publisher, destination)
    async with asyncio.TaskGroup() as tasks:
        queues = pipeline.open(tasks, message_of, lambda each: done.append(each.position))
        await queues.put(record(7))
    return publisher, done


async def test_what_nobody_listens_for_is_done_when_it_lies_with_the_unrouted() -> None:
    publisher, done = await put_one(TO_SUBSCRIBERS)
    first = publisher.under_way.pop()
    assert (first.exchange, first.mandatory) == (EVENTS, True)
    first.told(False)
    second = publisher.under_way.pop()
    assert (second.position, second.exchange, second.mandatory) == (7, EVENTS_UNROUTED, False)
    assert done == []
    second.told(True)
    assert done == [7]


async def test_a_stream_that_is_not_there_is_waited_for() -> None:
    publisher, done = await put_one(TO_REPLAY)
    with pytest.raises(Unroutable):
        publisher.under_way.pop().told(False)
    assert done == []
