"""The publisher without a broker: what was confirmed is told once, and nothing after a failure."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.query.relay.broker.publisher import (
    ContentRefused,
    Nacked,
    Publisher,
    PublishFailed,
    Unroutable,
)
from shared.amqp.frames import Content, content_of
from shared.amqp.message import Message
from shared.runtime.event_loop import run

NOON = datetime(2030, 5, 1, 12, tzinfo=UTC)


class Wire:
    """Remembers each write."""

    def __init__(self) -> None:
        self.writes: list[bytes] = []

    def write(self, data: bytes) -> None:
        self.writes.append(data)


def message(number: int) -> Message:
    return Message(f"id-{number}", "type", "key", b"{}", NOON)


def content(number: int) -> Content:
    return content_of(message(number))


class Told:
    """What the publisher told, in order."""

    def __init__(self) -> None:
        self.heard: list[tuple[int, bool]] = []

    def of(self, number: int) -> Callable[[bool], None]:
        return partial(self._hear, number)

    def _hear(self, number: int, is_routed: bool) -> None:
        self.heard.append((number, is_routed))


@given(st.lists(st.tuples(st.integers(1, 12), st.booleans()), max_size=20))
def test_each_is_told_once_whatever_the_broker_confirms_together(
    confirms: list[tuple[int, bool]],
) -> None:
    async def confirm() -> list[tuple[int, bool]]:
        publisher, told = Publisher(Wire(), 4096, 60), Told()
        for number in range(1, 11):
            publisher.send(content(number), told.of(number), "", "key")
        for tag, multiple in confirms:
            publisher.acked(tag, multiple)
        return told.heard

    expected: list[int] = []
    for tag, multiple in confirms:
        these = range(1, tag + 1) if multiple else (tag,)
        expected += [each for each in these if each <= 10 and each not in expected]
    assert run(confirm()) == [(each, True) for each in expected]


async def test_one_turn_of_the_loop_is_one_write() -> None:
    wire = Wire()
    publisher = Publisher(wire, 4096, 60)
    for number in range(5):
        publisher.send(content(number), lambda _: None, "", "key")
    assert wire.writes == []
    await asyncio.sleep(0)
    assert len(wire.writes) == 1
    publisher.send(content(5), lambda _: None, "", "key")
    await asyncio.sleep(0)
    assert [data.count(b"id-") for data in wire.writes] == [5, 1]


async def test_what_came_back_is_told_at_its_confirm() -> None:
    publisher, told = Publisher(Wire(), 4096, 60), Told()
    for number in (1, 2, 3):
        publisher.send(content(number), told.of(number), "", "key")
    publisher.returned("id-2")
    publisher.returned("nobody")
    publisher.returned(None)
    assert told.heard == []
    publisher.acked(3, multiple=True)
    assert told.heard == [(1, True), (2, False), (3, True)]


async def test_after_a_nack_nobody_is_told_anything() -> None:
    publisher, told = Publisher(Wire(), 4096, 60), Told()
    publisher.send(content(1), told.of(1), "", "key")
    waiting = asyncio.ensure_future(publisher.publish(message(2)))
    await asyncio.sleep(0)
    publisher.nacked()
    publisher.acked(2, multiple=True)
    assert told.heard == []
    for failing in (waiting, publisher.lost(), publisher.publish(message(3))):
        with pytest.raises(PublishFailed, match="nack"):
            await failing
    with pytest.raises(PublishFailed):
        publisher.send(content(4), told.of(4), "", "key")


async def test_an_error_of_who_is_told_ends_the_publisher_and_not_the_reading() -> None:
    publisher = Publisher(Wire(), 4096, 60)

    def told(_: bool) -> None:
        raise KeyError("mine")

    publisher.send(content(1), told, "", "key")
    publisher.acked(1, multiple=False)
    with pytest.raises(KeyError, match="mine"):
        await publisher.lost()


async def test_the_oldest_without_a_confirm_ends_it_in_time() -> None:
    publisher, told = Publisher(Wire(), 4096, 0.05), Told()
    publisher.send(content(1), told.of(1), "", "key")
    publisher.send(content(2), told.of(2), "", "key")
    publisher.acked(2, multiple=False)
    with pytest.raises(PublishFailed, match="TimeoutError"):
        await asyncio.wait_for(publisher.lost(), 30)
    assert told.heard == [(2, True)]


async def test_who_waits_is_told_what_became_of_it() -> None:
    publisher = Publisher(Wire(), 4096, 60)
    first = asyncio.ensure_future(publisher.publish(message(1)))
    second = asyncio.ensure_future(publisher.publish(message(2)))
    await asyncio.sleep(0)
    publisher.returned("id-2")
    publisher.acked(2, multiple=True)
    await first
    with pytest.raises(Unroutable):
        await second


async def test_what_cannot_be_encoded_leaves_the_publisher_as_it_was() -> None:
    wire = Wire()
    publisher = Publisher(wire, 4096, 60)
    with pytest.raises(ContentRefused):
        await publisher.publish(message(1), key="k" * 256)
    with pytest.raises(ContentRefused):
        await publisher.publish(Message("i" * 256, "type", "key", b"{}", NOON))
    fine = asyncio.ensure_future(publisher.publish(message(2)))
    await asyncio.sleep(0)
    publisher.acked(1, multiple=False)
    await fine


@pytest.mark.parametrize(
    ("failure", "later"),
    [(Unroutable("nobody"), Unroutable), (ContentRefused("too big"), PublishFailed)],
)
async def test_later_calls_say_what_broke_it_but_not_that_it_was_their_content(
    failure: Exception, later: type[Exception]
) -> None:
    publisher = Publisher(Wire(), 4096, 60)
    publisher.fail(failure)
    for _ in range(2):
        with pytest.raises(later, match=str(failure)):
            await publisher.publish(message(1))
    with pytest.raises(type(failure)):
        await publisher.lost()


async def test_a_nack_is_told_from_other_failures() -> None:
    publisher = Publisher(Wire(), 4096, 60)
    publisher.nacked()
    with pytest.raises(Nacked):
        await publisher.lost()
