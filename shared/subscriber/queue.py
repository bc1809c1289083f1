"""A subscriber's side of the broker: its queue, the queues it waits in, and its dead letters.

All are durable quorum queues of its own. A message that is to wait goes to a queue whose messages
expire back into the first one; it is acknowledged only when that one is confirmed to have it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage, HeadersType
from aio_pika.exceptions import AMQPError
from yarl import URL

from shared.amqp.transport import Transport
from shared.messaging.topology import EVENTS
from shared.subscriber.tolerant_reader import TolerantReader

SECONDS = 10.0
CLOSE_SECONDS = 2.0
HEARTBEAT_SECONDS = 10
REASON = "x-seatledger-reason"
Arguments = dict[str, str | int | bool]
_QUORUM: Arguments = {"x-queue-type": "quorum", "x-delivery-limit": 20}
BROKEN = (AMQPError, OSError, TimeoutError, RuntimeError)


class BrokerLost(ConnectionError):
    """The connection is gone, or none of the URLs lets us in."""


class SubscriberQueue:
    """What came, one at a time; `None` says that nothing more will."""

    def __init__(self, channel: AbstractChannel, name: str, hops: Sequence[float]) -> None:
        self._channel = channel
        self._name = name
        self._hops = hops
        self._inbox: asyncio.Queue[AbstractIncomingMessage | None] = asyncio.Queue()

    async def prepare(self) -> None:
        """Declares and binds; nothing that happens from now on passes it by."""
        await self._declare(self.dead, {})
        again: Arguments = {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": self._name}
        for hop in range(len(self._hops)):
            expiring: Arguments = {"x-message-ttl": round(self._hops[hop] * 1000), **again}
            await self._declare(self.hop(hop), expiring)
        buried: Arguments = {
            "x-dead-letter-exchange": "",
            "x-dead-letter-routing-key": self.dead,
            "x-dead-letter-strategy": "at-least-once",
            "x-overflow": "reject-publish",
            "x-single-active-consumer": True,
        }
        await self._declare(self._name, buried)
        queue = await self._channel.get_queue(self._name)
        await queue.bind(EVENTS, "group.#", timeout=SECONDS)

    async def consume(self, prefetch: int) -> None:
        """From now on messages come in."""
        await self._channel.set_qos(prefetch_count=prefetch, timeout=SECONDS)
        queue = await self._channel.get_queue(self._name)
        await queue.consume(self._inbox.put, timeout=SECONDS)

    async def next(self) -> AbstractIncomingMessage | None:
        return await self._inbox.get()

    def end(self) -> None:
        """Let whoever waits for the next message go."""
        self._inbox.put_nowait(None)

    async def wait_in(self, hop: int, message: AbstractIncomingMessage) -> None:
        """It comes again once that hop's time is over."""
        copy = aio_pika.Message(
            message.body,
            content_type="application/json",
            delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
            message_id=message.message_id,
            type=message.type,
        )
        await self._publish(copy, self.hop(hop))

    async def bury(self, message_id: str | None, kind: str | None, body: bytes, why: str) -> None:
        """A dead letter, with the reason in a header."""
        headers: HeadersType = {REASON: why}
        letter = aio_pika.Message(
            body,
            headers=headers,
            content_type="application/json",
            delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
            message_id=message_id,
            type=kind,
        )
        await self._publish(letter, self.dead)

    @property
    def dead(self) -> str:
        """Where dead letters are."""
        return f"{self._name}.dead"

    def hop(self, number: int) -> str:
        """The queue that holds messages for that long."""
        return f"{self._name}.retry.{self._hops[number]:g}s"

    async def _publish(self, message: aio_pika.Message, queue: str) -> None:
        await self._channel.default_exchange.publish(message, queue, timeout=SECONDS)

    async def _declare(self, name: str, arguments: Arguments) -> None:
        await self._channel.declare_queue(
            name, durable=True, arguments={**_QUORUM, **arguments}, timeout=SECONDS
        )


@asynccontextmanager
async def subscriber_queue(
    urls: Sequence[str], name: str, hops: Sequence[float]
) -> AsyncIterator[SubscriberQueue]:
    """On the first broker that answers; BrokerLost when none does."""
    connection = await _connected(urls, name)
    try:
        try:
            async with asyncio.timeout(SECONDS):
                channel = await connection.channel(on_return_raises=True)
        except BROKEN as error:
            raise BrokerLost(f"no channel: {type(error).__name__}") from error
        queue = SubscriberQueue(channel, name, hops)
        connection.close_callbacks.add(lambda *_: queue.end())
        channel.close_callbacks.add(lambda *_: queue.end())
        yield queue
    finally:
        with suppress(*BROKEN, asyncio.CancelledError):
            await asyncio.wait_for(connection.close(), CLOSE_SECONDS)


async def _connected(urls: Sequence[str], name: str) -> aio_pika.abc.AbstractConnection:
    reasons = []
    for url in urls:
        try:
            transport = Transport(TolerantReader)
            connection = transport.connection(URL(url), HEARTBEAT_SECONDS, name)
            async with asyncio.timeout(SECONDS):
                await connection.connect(SECONDS)
            return connection
        except BROKEN as error:
            reasons.append(type(error).__name__)
    raise BrokerLost(f"no broker: {', '.join(reasons)}")
