"""Whatever lies in a subscriber's queue: it is buried with the reason, and the events go on."""

from __future__ import annotations

import asyncio
import json
import struct
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import aio_pika
import pytest
from aio_pika.abc import AbstractIncomingMessage

from services.query.relay.broker.publisher import Publisher
from services.query.relay.broker.rabbitmq import Broker
from shared.amqp.frames import CHANNEL, FRAME, FRAME_END, Content, content_of
from shared.amqp.message import Message
from shared.subscriber.event import LONGEST_BODY
from shared.subscriber.queue import REASON
from tests.harness.services.relays import eventually
from tests.integration.query.api import Api
from tests.integration.query.scenario import Scenario
from tests.integration.subscriber.following import Following, all_of

KIND = "seatledger.seat_booked.v1"
NOON = datetime(2030, 5, 1, 12, tzinfo=UTC)


def like_an_event(**other: Any) -> bytes:
    """A body as an event's, but for these."""
    body = {
        "group_id": str(uuid4()),
        "booking_id": str(uuid4()),
        "position": 3,
        "version": 3,
        "part": 0,
        "current_seats": 1,
        "max_seats": 9,
    }
    return json.dumps({**body, **other}).encode()


def message(body: bytes, kind: str = KIND, message_id: str | None = None) -> Message:
    return Message(str(uuid4()) if message_id is None else message_id, kind, "", body, NOON)


BODIES: dict[str, tuple[Message, str]] = {
    "empty": (message(b""), "no JSON"),
    "no JSON": (message(b"\xff\xfe{"), "no JSON"),
    "half": (message(like_an_event()[:-1]), "no JSON"),
    "deep": (message(b"[" * 200_000), "no JSON (RecursionError)"),
    "a list": (message(b"[1, 2]"), "list instead of an object"),
    "a number": (message(b"7"), "int instead of an object"),
    "nothing": (message(b"null"), "NoneType instead of an object"),
    "no fields": (message(b"{}"), "group_id is no id"),
    "huge": (message(b" " * (LONGEST_BODY + 1)), f"{LONGEST_BODY + 1} bytes"),
    "group a number": (message(like_an_event(group_id=7)), "group_id is no id"),
    "group a list": (message(like_an_event(group_id=[])), "group_id is no id"),
    "booking missing": (message(like_an_event(booking_id=None)), "booking_id is no id"),
    "position a text": (message(like_an_event(position="7")), "position is no number"),
    "position true": (message(like_an_event(position=True)), "position is no number"),
    "position infinite": (message(like_an_event(position=float("inf"))), "position is no number"),
    "position nan": (message(like_an_event(position=float("nan"))), "position is no number"),
    "position vast": (message(like_an_event(position=2**63)), "position is no number"),
    "version zero": (message(like_an_event(version=0)), "version is no number"),
    "version half": (message(like_an_event(version=1.5)), "version is no number"),
    "part a text": (message(like_an_event(part="1")), "part is no number"),
    "part below": (message(like_an_event(part=-1)), "part is no number"),
    "no type": (message(like_an_event(), kind=""), "type ''"),
    "a type of others": (message(like_an_event(), kind="others.seat_booked.v1"), "type 'others."),
    "a long type": (message(like_an_event(), kind="x" * 255), "type 'xxx"),
    "no id": (message(like_an_event(), message_id=""), "message id is no id"),
    "another id": (message(like_an_event(), message_id="1; DROP TABLE"), "message id is no id"),
}


def with_properties(flags: int, values: bytes, body: bytes) -> Content:
    """Properties as no client would write them."""
    payload = struct.pack(">HHQH", 60, 0, len(body), flags) + values
    return Content(FRAME.pack(2, CHANNEL, len(payload)) + payload + FRAME_END, body)


def table(entry: bytes) -> bytes:
    return struct.pack(">I", len(entry)) + entry


PROPERTIES: dict[str, Content] = {
    "a type that is no text": with_properties(1 << 5, b"\x02\xff\xfe", like_an_event()),
    "an id that is no text": with_properties(1 << 7, b"\x02\xc3\x28", like_an_event()),
    "a time that no calendar has": with_properties(1 << 6, b"\xff" * 8, like_an_event()),
    "a header's name that is no text": with_properties(
        1 << 13, table(b"\x02\xff\xfeS\x00\x00\x00\x01a"), like_an_event()
    ),
    "a header's time that no calendar has": with_properties(
        1 << 13, table(b"\x01tT" + b"\x7f" * 8), like_an_event()
    ),
}


async def buried(follower: Following, amqp_url: str, count: int) -> list[AbstractIncomingMessage]:
    """The dead letters, once there are so many."""
    found: list[AbstractIncomingMessage] = []
    connection = await aio_pika.connect(amqp_url)
    async with connection:
        queue = await (await connection.channel()).get_queue(f"{follower.name}.dead")

        async def are_there() -> bool:
            while (letter := await queue.get(no_ack=True, fail=False)) is not None:
                found.append(letter)
            return len(found) >= count

        await eventually(are_there)
    return found


async def send(publisher: Publisher, content: Content, queue: str) -> None:
    confirmed = asyncio.get_running_loop().create_future()
    publisher.send(content, confirmed.set_result, "", queue)
    assert await asyncio.wait_for(confirmed, 30)


async def test_what_is_no_event_is_buried_with_the_reason_and_the_consumer_goes_on(
    scenario: Scenario, api: Api, follower: Following, amqp_url: str
) -> None:
    group_id = await scenario.create(app_id=api.app_id)
    async with Broker(amqp_url).publisher() as publisher, follower.running() as task:
        await follower.until(all_of(scenario, group_id))
        for hostile, _ in BODIES.values():
            await send(publisher, content_of(hostile), follower.name)
        await scenario.book_many(group_id, 3)
        letters = await buried(follower, amqp_url, len(BODIES))
        await follower.until(all_of(scenario, group_id))
        assert not task.done()
    reasons = [str(letter.headers[REASON]) for letter in letters]
    for name, (_, reason) in BODIES.items():
        assert any(reason in each for each in reasons), name
    assert len(letters) == len(BODIES)
    assert max(len(letter.body) for letter in letters) == LONGEST_BODY


async def test_properties_that_the_client_cannot_read_do_not_cost_the_connection(
    scenario: Scenario, api: Api, follower: Following, amqp_url: str
) -> None:
    group_id = await scenario.create(app_id=api.app_id)
    async with Broker(amqp_url).publisher() as publisher, follower.running():
        await follower.until(all_of(scenario, group_id))
        for hostile in PROPERTIES.values():
            await send(publisher, hostile, follower.name)
        await scenario.book_many(group_id, 3)
        letters = await buried(follower, amqp_url, len(PROPERTIES))
        await follower.until(all_of(scenario, group_id))
    assert len(letters) == len(PROPERTIES)
    assert {str(letter.headers[REASON]) for letter in letters} == {
        "not an event: type 'unreadable'"
    }
    assert not any(letter.headers.get("x-death") for letter in letters), "tried again and again"


async def test_a_routing_key_that_is_no_text_harms_nobody(
    scenario: Scenario, api: Api, follower: Following, amqp_url: str
) -> None:
    group_id = await scenario.create(app_id=api.app_id)
    connection = await aio_pika.connect(amqp_url)
    async with (
        connection,
        Broker(amqp_url).publisher() as publisher,
        follower.running(),
    ):
        await follower.until(all_of(scenario, group_id))
        channel = await connection.channel()
        anywhere = await channel.declare_exchange(f"anywhere-{uuid4()}", "fanout", auto_delete=True)
        await (await channel.get_queue(follower.name)).bind(anywhere)
        confirmed = asyncio.get_running_loop().create_future()
        content = content_of(message(b"{}"))
        publisher.send(content, confirmed.set_result, anywhere.name, "key")
        publisher._outgoing[0] = publisher._outgoing[0].replace(b"\x03key", b"\x03\xff\xfe\xfd")
        assert await asyncio.wait_for(confirmed, 30)
        await scenario.book(group_id)
        [letter] = await buried(follower, amqp_url, 1)
        assert "group_id is no id" in str(letter.headers[REASON])
        await follower.until(all_of(scenario, group_id))


async def test_an_event_of_a_newer_version_is_buried_and_its_group_goes_on_without_it(
    scenario: Scenario, api: Api, follower: Following, amqp_url: str
) -> None:
    group_id = await scenario.create(app_id=api.app_id)
    newer = like_an_event(group_id=str(group_id), version=2, position=scenario.position + 1)
    async with Broker(amqp_url).publisher() as publisher, follower.running():
        await follower.until(all_of(scenario, group_id))
        kind = "seatledger.seat_booked.v2"
        await send(publisher, content_of(message(newer, kind)), follower.name)
        [letter] = await buried(follower, amqp_url, 1)
        assert letter.headers[REASON] == "seatledger.seat_booked.v2 is newer than this kit"
        assert letter.body == newer
        await scenario.book_many(group_id, 2)
        await follower.until({group_id: [1, 3]})


@pytest.mark.parametrize("reason", ["a \0 in it", "half a pair \ud800"])
async def test_whatever_a_handler_complains_of_is_written_down(
    scenario: Scenario, api: Api, follower: Following, amqp_url: str, reason: str
) -> None:
    group_id = await scenario.create(app_id=api.app_id)
    follower.complaint = reason
    follower.refused[scenario.position] = 1
    async with follower.running(hops=()):
        await follower.until_ready()
        [letter] = await buried(follower, amqp_url, 1)
        assert "ValueError" in str(letter.headers[REASON])
        assert json.loads(letter.body)["group_id"] == str(group_id)
