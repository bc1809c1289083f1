"""RabbitMQ, and the only file that speaks to it: what `publish` returned for is safe there.

Every publish is confirmed and has a deadline. A publisher lives until its first failure: after a
nack, a time-out or a lost connection everything unconfirmed is published again on a new one,
because a channel that has seen a nack may go on refusing for ever.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import struct
from collections.abc import AsyncIterator, Iterator
from typing import Any, NoReturn, cast

import aio_pika
import aiormq
from aio_pika import exceptions as amqp
from aio_pika.abc import AbstractChannel, AbstractExchange, AbstractQueue
from aiormq import spec
from aiormq.connection import TCPTransportFactory, TLSTransportFactory
from yarl import URL

from shared.messaging.cloudevent import APP_ID, CONTENT_TYPE, Message
from shared.messaging.topology import BY_GROUP, CORE, EVENTS, KEPT, Topology

CONNECT_SECONDS = 5.0
PUBLISH_SECONDS = 10.0
CLOSE_SECONDS = 1.0
HEARTBEAT_SECONDS = 5
_BROKEN = (amqp.AMQPError, OSError, TimeoutError, RuntimeError, EOFError)
_MALFORMED = (TypeError, ValueError, OverflowError, struct.error)
_log = logging.getLogger(__name__)


class MessagingError(Exception):
    """The broker did not take a message."""


class BrokerUnreachable(MessagingError):
    """No URL of the broker let us in."""


class PublishFailed(MessagingError):
    """This publisher is broken: what is unconfirmed goes to a new one."""


class Unroutable(PublishFailed):
    """No queue takes this message."""


class ContentRefused(MessagingError):
    """A message is refused for what it contains, so that trying again cannot help.

    The publisher is broken too. If others were in flight, it may have been one of them.
    """


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
            under = cast(aiormq.Channel, await channel.get_underlay_channel())
            yield Publisher(link, under, self._publish_seconds)
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

    def __init__(self, connection: aio_pika.Connection, transport: _Transport) -> None:
        self._connection = connection
        self._transport = transport

    @classmethod
    async def open(cls, url: URL) -> _Link:
        transport = _Transport(is_tls=url.scheme == "amqps")
        query = {"heartbeat": str(HEARTBEAT_SECONDS), "name": APP_ID, **url.query}
        connection = aio_pika.Connection(url.with_query(query))
        connection.kwargs["transport_factory"] = transport
        link = cls(connection, transport)
        try:
            with _as_publish_failed("not connected"):
                await asyncio.wait_for(connection.connect(CONNECT_SECONDS), CONNECT_SECONDS)
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

    async def lost(self) -> str:
        """Waits until the connection is lost; why."""
        if self._connection.transport is not None:
            closing = self._connection.transport.connection.closing
            await asyncio.wait({closing})
            error = None if closing.cancelled() else closing.exception()
            return "connection closed" if error is None else _reason(error)
        return "connection closed"

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


class Publisher:
    """One connection, one channel. Calls may overlap: confirms are awaited side by side."""

    def __init__(self, link: _Link, channel: aiormq.Channel, publish_seconds: float) -> None:
        self._link = link
        self._channel = channel
        self._seconds = publish_seconds
        self._broken_by: str | None = None

    async def publish(
        self,
        message: Message,
        exchange: str = EVENTS,
        key: str | None = None,
        mandatory: bool = True,
    ) -> None:
        """Returns when the broker has confirmed it and, if mandatory, a queue has it.

        `key` instead of the message's own. Raises Unroutable; or PublishFailed or ContentRefused,
        and from then on PublishFailed at once.
        """
        if self._broken_by is not None:
            raise PublishFailed(self._broken_by)
        try:
            with _as_publish_failed("not confirmed", ContentRefused):
                await self._channel.basic_publish(
                    message.body,
                    exchange=exchange,
                    routing_key=message.routing_key if key is None else key,
                    properties=properties(message),
                    mandatory=mandatory,
                    timeout=self._seconds,
                    wait=False,
                )
        except Unroutable:
            raise  # the broker answered, and the channel is as good as before
        except MessagingError as error:
            self._broken_by = str(error)
            raise

    async def lost(self) -> NoReturn:
        """Waits until the connection is lost, then raises PublishFailed: notices it when idle."""
        raise PublishFailed(await self._link.lost())


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


def properties(message: Message) -> spec.Basic.Properties:
    """As AMQP properties, the attributes among the headers."""
    return spec.Basic.Properties(
        content_type=CONTENT_TYPE,
        headers=dict(message.headers),
        delivery_mode=2 if message.persistent else 1,
        correlation_id=message.correlation_id,
        message_id=message.message_id,
        timestamp=message.time,
        message_type=message.type,
        app_id=APP_ID,
    )


def shown(url: URL) -> str:
    """A broker's URL as it may be logged: without user, password and options."""
    return f"{url.scheme}://{url.host}:{url.port or ''}{url.path}"


@contextlib.contextmanager
def _as_publish_failed(
    what: str, precondition: type[MessagingError] = PublishFailed
) -> Iterator[None]:
    """Every way in which the client fails, as ours: a dead connection may raise CancelledError."""
    try:
        yield
    except amqp.ChannelPreconditionFailed as error:
        raise precondition(f"{what}: {_reason(error)}") from error
    except amqp.PublishError as error:
        raise Unroutable("returned: no queue takes it") from error
    except amqp.DeliveryError as error:
        raise PublishFailed("refused (nack)") from error
    except _BROKEN as error:
        raise PublishFailed(f"{what}: {_reason(error)}") from error
    except _MALFORMED as error:
        raise ContentRefused(f"cannot be encoded: {_reason(error)}") from error
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        raise PublishFailed(f"{what}: connection lost") from error


def _reason(error: BaseException) -> str:
    text = str(error.args[-1] if error.args else error)
    return f"{type(error).__name__}: {text[:200]}".rstrip(": ")


class _Transport:
    """Makes the client's socket and keeps hold of it, to drop it."""

    def __init__(self, is_tls: bool) -> None:
        self._factory = TLSTransportFactory() if is_tls else TCPTransportFactory()
        self._writer: asyncio.StreamWriter | None = None

    async def create(
        self, url: URL, **kwargs: Any
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, self._writer = await self._factory.create(url, **kwargs)
        return reader, self._writer

    def abort(self) -> None:
        if self._writer is not None:
            self._writer.transport.abort()
