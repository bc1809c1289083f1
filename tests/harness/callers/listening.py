"""A subscriber with a durable queue, which outlives its connections and the broker's restarts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeAlias
from uuid import UUID, uuid4

import aio_pika
from aio_pika.abc import AbstractConnection, AbstractIncomingMessage, AbstractQueue
from aio_pika.exceptions import AMQPError

from services.query.relay.broker.rabbitmq import Broker
from shared.messaging.topology import EVENTS

PATIENCE = 120.0
Arguments: TypeAlias = "dict[str, Any] | None"
RECONNECT_SECONDS = 0.1
LOST = (OSError, TimeoutError, AMQPError, RuntimeError)


class Listener:
    """Remembers every message of `bookings.events` since its queue was made: (id, body)."""

    def __init__(self, amqp_urls: str) -> None:
        self.heard: list[tuple[str, bytes]] = []
        self._urls = amqp_urls.split(",")
        self._amqp_urls = amqp_urls
        self._name = f"listener-{uuid4()}"
        self._news = asyncio.Condition()

    async def prepare(self) -> None:
        """The queue is there and bound."""
        async with Broker(self._amqp_urls).publisher():
            pass
        connection = await self._connect()
        async with connection:
            await self._declare(connection)

    async def run(self) -> None:
        """Listens; a lost connection is opened again."""
        while True:
            try:
                await self._one_connection()
            except LOST:
                await asyncio.sleep(RECONNECT_SECONDS)

    async def remove(self) -> None:
        """Takes its queue away, if the broker is there."""
        try:
            connection = await self._connect()
            async with connection:
                await (await self._declare(connection)).delete(if_unused=False, if_empty=False)
        except LOST:
            return

    async def until_heard(self, ids: Sequence[UUID]) -> None:
        """Waits until each of these came."""
        wanted = {str(each) for each in ids}

        def all_came() -> bool:
            return wanted <= {name for name, _ in self.heard}

        async with self._news:
            await asyncio.wait_for(self._news.wait_for(all_came), PATIENCE)

    async def _one_connection(self) -> None:
        connection = await self._connect()
        async with connection:
            closed = asyncio.Event()
            connection.close_callbacks.add(lambda *_: closed.set())
            queue = await self._declare(connection)
            await queue.consume(self._take)
            await closed.wait()

    async def _connect(self) -> AbstractConnection:
        """To the first node; the next time to the next one."""
        url, *others = self._urls
        self._urls = [*others, url]
        return await aio_pika.connect(url, timeout=5)

    async def _declare(self, connection: AbstractConnection) -> AbstractQueue:
        channel = await connection.channel()
        await channel.set_qos(prefetch_count=500)
        quorum: Arguments = {"x-queue-type": "quorum"} if len(self._urls) > 1 else None
        queue = await channel.declare_queue(self._name, durable=True, arguments=quorum)
        await queue.bind(EVENTS, "#")
        return queue

    async def _take(self, message: AbstractIncomingMessage) -> None:
        await message.ack()
        async with self._news:
            self.heard.append((str(message.message_id), message.body))
            self._news.notify_all()


@asynccontextmanager
async def listening(amqp_url: str) -> AsyncIterator[Listener]:
    """A listener at work inside the block."""
    listener = Listener(amqp_url)
    await listener.prepare()
    task = asyncio.create_task(listener.run())
    try:
        yield listener
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await listener.remove()
