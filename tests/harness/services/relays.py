"""A ledger with a relay, and a subscriber that writes down what it gets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from functools import cache, partial
from typing import Any
from uuid import UUID, uuid4

import aio_pika
import asyncpg
from aio_pika.abc import AbstractIncomingMessage
from jsonschema import Draft202012Validator

from services.query.relay.broker.rabbitmq import Broker
from services.query.relay.destination import TO_SUBSCRIBERS, Destination
from services.query.relay.relay import Relay
from shared.eventlog.follower import Follower, read_log
from shared.eventlog.postgres import PostgresEventStore
from shared.eventlog.record import NewEvent
from shared.eventlog.store import Appended, Entry
from shared.eventlog.wakeup import Wakeup
from shared.messaging.asyncapi import document
from shared.messaging.topology import EVENTS
from shared.runtime import loops
from tests.harness.events.ledger import booked, created

PATIENCE = 60.0


class Ledger:
    """A real event store to append to, and what a relay needs to follow it."""

    def __init__(self, dsn: str, pool: asyncpg.Pool[asyncpg.Record]) -> None:
        self.dsn = dsn
        self.pool = pool
        self.wakeup = Wakeup(dsn)
        self.store = PostgresEventStore(pool, dsn)
        self.events: list[tuple[UUID, int, UUID]] = []
        self._versions: dict[UUID, int] = {}

    async def append(self, group_id: UUID, *events: NewEvent) -> int:
        """The position of the last one."""
        version = self._versions.get(group_id, 0)
        outcome = (await self.store.append([Entry(group_id, version, events)]))[0]
        assert isinstance(outcome, Appended), outcome
        self._versions[group_id] = outcome.version
        for number, new in enumerate(events, version + 1):
            self.events.append((group_id, number, new.event_id))
        return outcome.position

    def relay(
        self,
        amqp_url: str,
        publish_seconds: float = 10.0,
        window: int = 256,
        destination: Destination = TO_SUBSCRIBERS,
        resign_seconds: float = 10.0,
    ) -> Relay:
        broker = Broker(amqp_url, publish_seconds)
        follower = Follower(partial(read_log, self.pool), self.wakeup)
        return Relay(
            self.pool,
            follower,
            broker,
            self.dsn,
            window,
            destination,
            resign_seconds=resign_seconds,
        )

    async def checkpoint(self, name: str = "relay") -> int:
        sql = "SELECT checkpoint FROM followers WHERE name = $1"
        return int(await self.pool.fetchval(sql, name) or 0)


@asynccontextmanager
async def ledger_at(dsn: str) -> AsyncIterator[Ledger]:
    async with asyncpg.create_pool(dsn, min_size=1, max_size=6) as pool:
        ledger = Ledger(dsn, pool)
        try:
            async with loops.running(ledger.wakeup):
                yield ledger
        finally:
            await ledger.store.close()


@asynccontextmanager
async def running(relay: Relay) -> AsyncIterator[asyncio.Task[None]]:
    """The relay at work; stopped in order at the end, if it is not cancelled before."""
    task = asyncio.create_task(relay.run())
    try:
        yield task
    finally:
        if not task.done():
            relay.stop()
            await asyncio.wait({task}, timeout=PATIENCE)
        if not task.cancelled():
            task.result()


class Subscriber:
    """A queue of its own on `bookings.events`, and everything that came, in order."""

    def __init__(self, queue: aio_pika.abc.AbstractQueue) -> None:
        self.queue = queue
        self.messages: list[AbstractIncomingMessage] = []
        self._news = asyncio.Condition()

    async def take(self, message: AbstractIncomingMessage) -> None:
        await message.ack()
        async with self._news:
            self.messages.append(message)
            self._news.notify_all()

    @property
    def ids(self) -> list[str]:
        return [str(message.message_id) for message in self.messages]

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(message.body) for message in self.messages]

    async def until(self, enough: Callable[[Subscriber], bool]) -> None:
        """Waits for it; the test fails after a minute."""
        async with self._news:
            await asyncio.wait_for(self._news.wait_for(lambda: enough(self)), PATIENCE)

    async def until_seen(self, ids: Sequence[UUID | str]) -> None:
        wanted = {str(each) for each in ids}
        await self.until(lambda self: wanted <= set(self.ids))


@asynccontextmanager
async def subscriber_at(
    amqp_url: str, exchange: str = EVENTS, key: str = "#"
) -> AsyncIterator[Subscriber]:
    """Binds once the topology is there, before any message of the test."""
    async with Broker(amqp_url).publisher():
        pass
    connection = await aio_pika.connect(amqp_url)
    async with connection:
        channel = await connection.channel()
        await channel.set_qos(prefetch_count=1000)
        queue = await channel.declare_queue(exclusive=True)
        await queue.bind(exchange, key)
        subscriber = Subscriber(queue)
        await queue.consume(subscriber.take)
        yield subscriber


def first_appearances(subscriber: Subscriber) -> dict[str, list[int]]:
    """Per group: the versions in the order in which each was first seen."""
    seen: dict[str, list[int]] = {}
    for body in subscriber.bodies:
        if body["part"] == 0:
            versions = seen.setdefault(body["group_id"], [])
            if body["version"] not in versions:
                versions.append(body["version"])
    return seen


def assert_published(ledger: Ledger, subscriber: Subscriber, is_alone: bool = True) -> None:
    """All of the log and nothing else, each id with one body, in the order of each group.

    `is_alone`: no other test's messages are in the queue.
    """
    wanted = {str(event_id) for _, _, event_id in ledger.events}
    assert set(subscriber.ids) == wanted if is_alone else set(subscriber.ids) >= wanted
    bodies: dict[str, bytes] = {}
    for message in subscriber.messages:
        assert bodies.setdefault(str(message.message_id), message.body) == message.body
        assert_as_published(message)
    lengths: dict[str, int] = {}
    for group_id, version, _ in ledger.events:
        lengths[str(group_id)] = max(version, lengths.get(str(group_id), 0))
    seen = first_appearances(subscriber)
    for group, length in lengths.items():
        assert seen[group] == list(range(1, length + 1))


def assert_as_published(message: AbstractIncomingMessage) -> None:
    """As the AsyncAPI document says."""
    body, headers = validators(str(message.type).removeprefix("seatledger."))
    body.validate(json.loads(message.body))
    headers.validate(dict(message.headers))


@cache
def validators(key: str) -> tuple[Draft202012Validator, Draft202012Validator]:
    parts = document()["components"]
    schemas = parts["schemas"][key], parts["messages"][key]["headers"]
    return Draft202012Validator(schemas[0]), Draft202012Validator(schemas[1])


async def sell(ledger: Ledger, groups: int, seats: int) -> list[UUID]:
    """Groups with bookings, one append for each; the groups' ids."""
    ids = [uuid4() for _ in range(groups)]
    for group_id in ids:
        await ledger.append(group_id, created(group_id))
    for number in range(1, seats + 1):
        for group_id in ids:
            await ledger.append(group_id, booked(current_seats=number))
    return ids


def ids_of(ledger: Ledger) -> list[UUID]:
    return [event_id for _, _, event_id in ledger.events]


async def eventually(holds: Callable[[], Awaitable[bool]]) -> None:
    """Asks until it holds; the test fails after a minute."""
    async with asyncio.timeout(PATIENCE):
        while not await holds():  # noqa: ASYNC110 - what is asked about has no event
            await asyncio.sleep(0.02)
