"""Load shedding: what is too much is refused at once and whole; what is under way is answered."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from aiohttp import web

from shared.accounts.keyring import KeyRing
from shared.http.access import for_everyone
from shared.http.answers import json_answer
from shared.http.bounds import pressure as bounds
from shared.http.bounds.pressure import Pressure, _ends_connection
from shared.http.health import Health
from shared.http.middleware import new_application
from shared.http.server import listen, serving
from tests.harness.callers.raw_connections import RawConnections
from tests.unit.http.doors import MASTER, KnownKeys

GET = b"GET /v2/slow HTTP/1.1\r\nHost: x\r\n\r\n"


@dataclass
class Door:
    """A served application whose only route waits until it may go on."""

    port: int
    pressure: Pressure
    arrived: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))
    go_on: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.callers = RawConnections(self.port)

    async def asked(self, request: bytes = GET) -> asyncio.StreamReader:
        """The request is sent; its answer comes later."""
        reader, _ = await self.callers.sent(request)
        return reader


@asynccontextmanager
async def open_door(pressure: Pressure) -> AsyncIterator[Door]:
    listener = listen("127.0.0.1", 0)
    door = Door(listener.getsockname()[1], pressure)

    @for_everyone
    async def slow(request: web.Request) -> web.Response:
        door.arrived.release()
        await door.go_on.wait()
        return json_answer({"done": True})

    app = new_application(KeyRing(KnownKeys(), MASTER), pressure=pressure)
    app.add_routes([web.get("/v2/slow", slow), web.post("/v2/slow", slow)])
    app.add_routes(Health([]).routes())
    async with serving(app, listener):
        yield door
        door.go_on.set()
        door.callers.close()


async def head_of(reader: asyncio.StreamReader) -> str:
    return (await reader.readuntil(b"\r\n\r\n")).decode()


async def test_what_is_too_much_is_refused_while_the_rest_goes_on() -> None:
    async with open_door(Pressure(max_in_progress=2)) as door:
        begun = [await door.asked() for _ in range(2)]
        for _ in begun:
            await door.arrived.acquire()
        refused = await door.asked()
        head = await head_of(refused)
        assert head.startswith("HTTP/1.1 503 ") and "\r\nRetry-After: 1\r\n" in head
        assert b'"code":"too_busy"' in await refused.readexactly(_length(head))
        healthy = await door.asked(b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n")
        assert (await head_of(healthy)).startswith("HTTP/1.1 200 ")
        door.go_on.set()
        for reader in begun:
            assert (await head_of(reader)).startswith("HTTP/1.1 200 ")
        assert (await head_of(await door.asked())).startswith("HTTP/1.1 200 ")


async def test_a_refused_connection_can_be_used_again() -> None:
    async with open_door(Pressure(max_in_progress=1)) as door:
        first = await door.asked()
        await door.arrived.acquire()
        reader, writer = await door.callers.sent(GET)
        head = await head_of(reader)
        await reader.readexactly(_length(head))
        door.go_on.set()
        assert (await head_of(first)).startswith("HTTP/1.1 200 ")
        writer.write(GET)
        assert (await head_of(reader)).startswith("HTTP/1.1 200 ")


async def test_connections_past_the_bound_are_closed() -> None:
    async with open_door(Pressure(max_connections=1)) as door:
        await door.asked()
        await door.arrived.acquire()
        over = await door.asked()
        with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
            await head_of(over)


async def test_a_head_that_trickles_in_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "HEAD_SECONDS", 0.05)
    async with open_door(Pressure()) as door:
        slow = await door.asked(b"GET /v2/slow HT")
        assert await slow.read() == b""
        whole = await door.asked()
        await door.arrived.acquire()
        door.go_on.set()
        assert (await head_of(whole)).startswith("HTTP/1.1 200 ")


async def test_stopping_says_so_first_and_ends_connections_with_their_answers() -> None:
    async with open_door(Pressure()) as door:
        door.pressure.is_closing = True
        ready = await door.asked(b"GET /health/ready HTTP/1.1\r\nHost: x\r\n\r\n")
        head = await head_of(ready)
        assert head.startswith("HTTP/1.1 503 ") and "\r\nConnection: close\r\n" in head
        assert b"stopping" in await ready.read()


@pytest.mark.parametrize(
    ("data", "ends"),
    [
        (GET, False),
        (b"GET /v2/x HTTP/1.1\r\nConnection: close\r\n\r\n", True),
        (b"GET /v2/x HTTP/1.0\r\nHost: x\r\n\r\n", True),
        (b"POST /v2/x HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}", False),
        (b"POST /v2/x HTTP/1.1\r\ncontent-length:2\r\nA: b\r\n\r\n{}", False),
        (b"POST /v2/x HTTP/1.1\r\nContent-Length: 3\r\n\r\n{}", None),
        (GET + GET, None),
        (b"POST /v2/x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", None),
        (b"POST /v2/x HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 0\r\n\r\n", None),
        (b"GET /health/ready HTTP/1.1\r\n\r\n", None),
        (b"GET /v2/x HTTP/1.1\r\nHo", None),
    ],
)
def test_only_one_whole_request_is_refused_unread(data: bytes, ends: bool | None) -> None:
    assert _ends_connection(data) is ends


def _length(head: str) -> int:
    return int(head.split("Content-Length: ")[1].split("\r\n")[0])
