"""A served application with large answers and bodies to wait for, and slow callers of it."""

from __future__ import annotations

import asyncio
import io
import logging
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field

import structlog
from aiohttp import web

from shared.accounts.keyring import KeyRing
from shared.http.access import for_everyone, for_widgets
from shared.http.answers import json_answer
from shared.http.bounds.pressure import Pressure
from shared.http.middleware import new_application, read_body
from shared.http.server import listen, serving
from shared.runtime.telemetry import configure_logging
from tests.harness.callers.raw_connections import SMALL, Connection, RawConnections
from tests.unit.http.doors import MASTER, ROUTES, KnownKeys

LARGE = bytes(16 * 1024 * 1024)
PATIENCE = 20.0


@dataclass
class SlowDoor:
    """Its port, its pressure, and the connections whose large answer has begun."""

    port: int
    pressure: Pressure
    begun: asyncio.Queue[web.RequestHandler] = field(default_factory=asyncio.Queue)
    ended: asyncio.Queue[None] = field(default_factory=asyncio.Queue)

    def __post_init__(self) -> None:
        self.callers = RawConnections(self.port, SMALL)

    async def sent(self, request: bytes) -> Connection:
        """A connection on which this was sent, with a small buffer for what comes back."""
        return await self.callers.sent(request)

    async def answered(self, request: bytes) -> int:
        """The status of the answer to this."""
        reader, _ = await self.sent(request)
        return await status_of(reader)


async def status_of(reader: asyncio.StreamReader) -> int:
    async with asyncio.timeout(PATIENCE):
        return int((await reader.readuntil(b"\r\n")).split()[1])


@asynccontextmanager
async def slow_door(pressure: Pressure) -> AsyncIterator[SlowDoor]:
    """`/large` answers in pieces, `/whole` in one, and both without end for who does not read."""
    listener = listen("127.0.0.1", 0)
    door = SlowDoor(listener.getsockname()[1], pressure)

    @for_everyone
    async def large(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        _begin(door, request)
        try:
            for _ in range(4):
                await response.write(LARGE)
        finally:
            door.ended.put_nowait(None)
        return response

    @for_everyone
    async def whole(request: web.Request) -> web.Response:
        _begin(door, request)
        return web.Response(body=LARGE)

    @for_widgets
    async def body(request: web.Request) -> web.Response:
        return json_answer({"bytes": len(await read_body(request))})

    app = new_application(KeyRing(KnownKeys(), MASTER), pressure=pressure)
    routes = web.get("/large", large), web.get("/whole", whole), web.post("/body", body)
    app.add_routes([*ROUTES, *routes])
    async with serving(app, listener, drain_seconds=0.5):
        yield door
        door.callers.close()


def _begin(door: SlowDoor, request: web.Request) -> None:
    assert request.transport is not None
    raw = request.transport.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SMALL)
    door.begun.put_nowait(request.protocol)


@contextmanager
def logged() -> Iterator[io.StringIO]:
    """What is logged inside the block."""
    stream, root = io.StringIO(), logging.getLogger()
    handlers, level = root.handlers[:], root.level
    configure_logging(stream=stream)
    try:
        yield stream
    finally:
        structlog.reset_defaults()
        root.handlers[:] = handlers
        root.setLevel(level)
