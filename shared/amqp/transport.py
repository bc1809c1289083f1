"""Socket access below the AMQP client library: a reader put before it, direct writes, closing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Generic, TypeVar

import aio_pika
from yarl import URL

from shared.amqp.frame_reader import FrameReader

Reader = TypeVar("Reader", bound=FrameReader)


class Transport(Generic[Reader]):
    """Makes a connection's socket and keeps hold of it, even while the other side is silent."""

    def __init__(self, new_reader: Callable[[], Reader]) -> None:
        self._new_reader = new_reader
        self._writer: asyncio.StreamWriter | None = None
        self.reader: Reader

    def connection(self, url: URL, heartbeat_seconds: int, name: str) -> aio_pika.Connection:
        """Not connected yet; what the URL says itself counts for more."""
        query = {"heartbeat": str(heartbeat_seconds), "name": name, **url.query}
        connection = aio_pika.Connection(url.with_query(query))
        connection.kwargs["transport_factory"] = self
        return connection

    async def create(
        self, url: URL, **kwargs: Any
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """For the client library."""
        loop = asyncio.get_running_loop()
        is_tls = url.scheme == "amqps"
        context = await kwargs["ssl_context_provider"].get_context() if is_tls else None
        self.reader = self._new_reader()
        protocol = asyncio.StreamReaderProtocol(self.reader, loop=loop)
        transport, _ = await loop.create_connection(
            lambda: protocol, url.host or "localhost", url.port or 5672, ssl=context
        )
        self._writer = asyncio.StreamWriter(transport, protocol, self.reader, loop)
        return self.reader, self._writer

    def write(self, data: bytes) -> None:
        """Beside the library: whole frames only."""
        if self._writer is not None:
            self._writer.write(data)

    def abort(self) -> None:
        if self._writer is not None:
            self._writer.transport.abort()
