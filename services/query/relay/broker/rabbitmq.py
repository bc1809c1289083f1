"""RabbitMQ, and the only file that connects a publisher to it: with what it needs in place there.

A connection can always be got rid of, whatever the other side does, and every wait has an end.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Iterator
from functools import partial
from typing import Any, cast

import aio_pika
import aiormq
from aio_pika import exceptions as amqp
from aio_pika.abc import AbstractChannel, AbstractExchange, AbstractQueue
from yarl import URL

from services.query.relay.broker.confirm_reader import ConfirmReader
from services.query.relay.broker.publisher import (
    ContentRefused,
    MessagingError,
    Publisher,
    PublishFailed,
)
from shared.amqp.frames import CHANNEL, SHORTEST_FRAME_MAX
from shared.amqp.message import APP_ID
from shared.amqp.transport import Transport
from shared.messaging.topology import BY_GROUP, CORE, KEPT, Topology

CONNECT_SECONDS = 5.0
PUBLISH_SECONDS = 10.0
CLOSE_SECONDS = 1.0
HEARTBEAT_SECONDS = 5
_BROKEN = (amqp.AMQPError, OSError, TimeoutError, RuntimeError, EOFError)
_log = logging.getLogger(__name__)


class BrokerUnreachable(MessagingError):
    """No URL of the broker let us in."""


class Broker:
    """A broker, or the nodes of one cluster: one or several URLs, separated by commas."""

    def __init__(self, urls: str, publish_seconds: float = PUBLISH_SECONDS) -> None:
        self._urls = [URL(url.strip()) for url in urls.split(",") if url.strip()]
        self._publish_seconds = publish_seconds
        self._next = 0
        self._missing: set[str] = set()

    @contextlib.asynccontextmanager
    async def publisher(self, needs: Topology = CORE) -> AsyncIterator[Publisher]:
        """A publisher on a new connection, with what it needs in place; BrokerUnreachable."""
        for name in ("aiormq", "aio_pika"):  # each lost connection is a traceback to them
            logging.getLogger(name).setLevel(logging.CRITICAL)
        url, link = await self._open()
        try:
            channel = await link.prepare(CORE, needs)
            await self._offer(url)
            yield await link.publisher(channel, self._publish_seconds)
        finally:
            await link.close()

    async def _open(self) -> tuple[URL, _Link]:
        reasons = []
        for _ in self._urls:
            url, self._next = self._urls[self._next], (self._next + 1) % len(self._urls)
            try:
                return url, await _Link.open(url)
            except MessagingError as error:
                reasons.append(f"{shown(url)} {error}")
        raise BrokerUnreachable("; ".join(reasons) or "no URL given")

    async def _offer(self, url: URL) -> None:
        """What publishing goes on without, on a connection of its own: a refusal may close it."""
        link = await _Link.open(url)
        try:
            await self._try_to_prepare(link, KEPT)
            await self._try_to_prepare(link, BY_GROUP)
        finally:
            await link.close()

    async def _try_to_prepare(self, link: _Link, topology: Topology) -> None:
        names = ", ".join(topology.names)
        try:
            await link.prepare(topology)
        except PublishFailed as error:
            if names not in self._missing:
                _log.warning("the broker does not give %s: %s", names, error)
            self._missing.add(names)
        else:
            self._missing.discard(names)


class _Link:
    """A connection that can always be got rid of, even when the other side is silent."""

    def __init__(
        self, connection: aio_pika.Connection, transport: Transport[ConfirmReader]
    ) -> None:
        self._connection = connection
        self._transport = transport

    @classmethod
    async def open(cls, url: URL) -> _Link:
        transport = Transport(ConfirmReader)
        connection = transport.connection(url, HEARTBEAT_SECONDS, APP_ID)
        link = cls(connection, transport)
        try:
            with _as_publish_failed("not connected"):
                async with asyncio.timeout(CONNECT_SECONDS):
                    await connection.connect(CONNECT_SECONDS)
        except BaseException:
            await link.close()
            raise
        return link

    async def prepare(self, *topologies: Topology) -> AbstractChannel:
        """A confirming channel on which returns are errors, with the topologies declared."""
        with _as_publish_failed("topology not declared"):
            async with asyncio.timeout(CONNECT_SECONDS):
                channel = await self._connection.channel(on_return_raises=True)
                for topology in topologies:
                    await declare(channel, topology)
                return channel

    async def publisher(self, channel: AbstractChannel, confirm_seconds: float) -> Publisher:
        """From now on the channel is the publisher's alone."""
        under = cast(aiormq.Channel, await channel.get_underlay_channel())
        if under.number != CHANNEL:
            raise PublishFailed(f"channel {under.number} instead of {CHANNEL}")
        frame_max = under.connection.connection_tune.frame_max or SHORTEST_FRAME_MAX
        publisher = Publisher(self._transport, frame_max, confirm_seconds)
        self._transport.reader.confirms = publisher
        for closing in (under.closing, under.connection.closing):
            closing.add_done_callback(partial(_failed, publisher))
        return publisher

    async def close(self) -> None:
        """Politely if the broker answers soon, else by dropping the socket."""
        closing = asyncio.ensure_future(self._connection.close())
        closing.add_done_callback(lambda done: done.cancelled() or done.exception())
        try:
            await asyncio.wait({closing}, timeout=CLOSE_SECONDS)
        finally:
            self._transport.abort()
            await asyncio.wait({closing}, timeout=CLOSE_SECONDS)
            closing.cancel()


async def declare(channel: AbstractChannel, topology: Topology) -> None:
    """Declare everything of a topology: changes nothing that is there already."""
    exchanges: dict[str, AbstractExchange] = {}
    queues: dict[str, AbstractQueue] = {}
    for exchange in topology.exchanges:
        exchanges[exchange.name] = await channel.declare_exchange(
            exchange.name, exchange.kind, durable=True, arguments=dict(exchange.arguments)
        )
    for queue in topology.queues:
        queues[queue.name] = await channel.declare_queue(
            queue.name, durable=True, arguments=dict(queue.arguments)
        )
    for binding in topology.bindings:
        target = queues.get(binding.target) or exchanges[binding.target]
        await target.bind(binding.source, binding.routing_key)


def shown(url: URL) -> str:
    """A broker's URL as it may be logged: without user, password and options."""
    return f"{url.scheme}://{url.host}:{url.port or ''}{url.path}"


def _failed(publisher: Publisher, closing: asyncio.Future[Any]) -> None:
    """A channel or its connection is no more."""
    error = None if closing.cancelled() else closing.exception()
    if isinstance(error, amqp.ChannelPreconditionFailed):
        publisher.fail(ContentRefused(f"refused: {_reason(error)}"))
    else:
        why = "closed" if error is None else _reason(error)
        publisher.fail(PublishFailed(f"connection lost: {why}"))


@contextlib.contextmanager
def _as_publish_failed(what: str) -> Iterator[None]:
    """Every way in which the client fails, as ours: a dead connection may raise CancelledError."""
    try:
        yield
    except _BROKEN as error:
        raise PublishFailed(f"{what}: {_reason(error)}") from error
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        raise PublishFailed(f"{what}: connection lost") from error


def _reason(error: BaseException) -> str:
    text = str(error.args[-1] if error.args else error)
    return f"{type(error).__name__}: {text[:200]}".rstrip(": ")
