"""Requests that come again byte for byte: the same answer as by the whole way, in order, and only
while nothing speaks against it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from aiohttp import encode_basic_auth, web

from shared.accounts.keyring import CACHE_SECONDS, FoundKey, KeyRing
from shared.http.answers import raw_json_answer
from shared.http.bounds.pressure import PRESSURE, Pressure
from shared.http.fast_lane.connection import MAX_HELD_BYTES, repeat_requests
from shared.http.fast_lane.repeating import Asked, Repeated, Tell, allow_repeating
from shared.http.middleware import new_application
from shared.http.server import listen, serving
from tests.unit.http.doors import MASTER, KnownKeys

AUTH = f"Authorization: {encode_basic_auth('', 'live')}\r\n".encode()
GET = b"GET /v2/shown HTTP/1.1\r\nHost: x\r\n" + AUTH + b"\r\n"
OTHER = GET.replace(b"/v2/shown", b"/v2/other")
DIFFERS = {b"Date", b"Timekit-Request-Id"}


class Shown:
    """A handler that counts how often it was asked, whole and again."""

    def __init__(self) -> None:
        self.whole = self.again = 0
        self.number = 7
        self.waiting: list[Tell] = []
        self.asked: list[Asked] = []
        self.is_asked = asyncio.Event()
        self.answers_at_once = True
        self.has_answer = True
        self.breaks = False
        self.quickly_next: Sequence[bytes] = ()
        self.refusal: Repeated | None = None

    async def handle(self, request: web.Request) -> web.Response:
        if request.method == "POST":
            await request.read()
        self.whole += 1
        allow_repeating(request, self._again, {"Number": ""})
        for piece in self.quickly_next:
            asyncio.get_running_loop().call_soon(request.protocol.data_received, piece)
        self.quickly_next = ()
        now = self._now()
        return raw_json_answer(now.body, headers=now.headers)

    def tell(self) -> None:
        """Everyone who waits."""
        waiting, self.waiting = self.waiting, []
        for tell in waiting:
            tell(self._now() if self.has_answer else None)

    def _again(self, asked: Asked, tell: Tell) -> None:
        self.again += 1
        self.asked.append(asked)
        if self.breaks:
            raise ValueError("a mistake of ours")
        self.waiting.append(tell)
        self.is_asked.set()
        if self.answers_at_once:
            self.tell()

    def _now(self) -> Repeated:
        return self.refusal or Repeated(b'{"is":%d}' % self.number, {"Number": str(self.number)})


class Keys(KnownKeys):
    """Keys that can be revoked."""

    is_revoked = False

    async def identify(self, key_hashes: Sequence[bytes]) -> Mapping[bytes, FoundKey]:
        return {} if self.is_revoked else await super().identify(key_hashes)


class Served:
    """An application that repeats, and a caller's view of it."""

    def __init__(self) -> None:
        self.shown, self.keys, self.pressure = Shown(), Keys(), Pressure()
        self.now = 1000.0
        self.port = 0
        self.stop: Callable[[], Awaitable[None]]

    async def ask_without_answer(self, line: Line, data: bytes = GET) -> None:
        """Asks again; the answer is made when the test says so."""
        self.shown.answers_at_once = False
        self.shown.is_asked.clear()
        line.send(data)
        async with asyncio.timeout(20):
            await self.shown.is_asked.wait()

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[Line]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            yield Line(reader, writer)
        finally:
            writer.close()


class Line:
    """One connection, a request at a time unless the test says otherwise."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    def send(self, data: bytes) -> None:
        self._writer.write(data)

    async def answer(self) -> tuple[int, dict[bytes, bytes], bytes]:
        """The next answer: status, headers, body."""
        async with asyncio.timeout(20):
            head = await self._reader.readuntil(b"\r\n\r\n")
            status, *lines = head[:-4].split(b"\r\n")
            headers = dict(line.split(b": ", 1) for line in lines)
            body = await self._reader.readexactly(int(headers[b"Content-Length"]))
        return int(status.split()[1]), headers, body

    async def answer_after_continue(self) -> tuple[int, dict[bytes, bytes], bytes]:
        """The answer, with or without a "100 Continue" before it."""
        async with asyncio.timeout(20):
            status = await self._reader.readuntil(b"\r\n")
            if b"100" not in status:
                await self._reader.readuntil(b"\r\n\r\n")
                return int(status.split()[1]), {}, b""
            await self._reader.readuntil(b"\r\n")
        return await self.answer()

    async def ask(self, data: bytes) -> tuple[int, dict[bytes, bytes], bytes]:
        self.send(data)
        return await self.answer()

    async def is_ended(self) -> bool:
        async with asyncio.timeout(20):
            return not await self._reader.read(1)


@asynccontextmanager
async def served() -> AsyncIterator[Served]:
    it = Served()
    ring = KeyRing(it.keys, MASTER, clock=lambda: it.now)
    app = new_application(ring, pressure=it.pressure, logs_all=False)
    app.add_routes([web.get("/v2/shown", it.shown.handle), web.get("/v2/other", other)])
    app.add_routes([web.post("/v2/bookings", it.shown.handle)])
    repeat_requests(app, ring, clock=lambda: it.now)
    listener = listen("127.0.0.1", 0)
    it.port = listener.getsockname()[1]
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(serving(app, listener))
        assert app[PRESSURE] is it.pressure
        it.stop = stack.aclose
        yield it


async def other(request: web.Request) -> web.Response:
    return raw_json_answer(b'"other"')


async def test_an_answer_again_is_what_the_whole_way_would_say() -> None:
    async with served() as it, it.connect() as line:
        first = await line.ask(GET)
        again = await line.ask(GET)
        assert (it.shown.whole, it.shown.again) == (1, 1)
        assert again[0] == 200 and again[2] == first[2]
        assert list(again[1]) != [] and again[1].keys() == first[1].keys()
        same = {name: value for name, value in first[1].items() if name not in DIFFERS}
        assert {name: again[1][name] for name in same} == same
        assert again[1][b"Timekit-Request-Id"] != first[1][b"Timekit-Request-Id"]


async def test_an_answer_again_shows_what_is_so_now() -> None:
    async with served() as it, it.connect() as line:
        await line.ask(GET)
        it.shown.number = 12_345
        _, headers, body = await line.ask(GET)
        assert (body, headers[b"Number"]) == (b'{"is":12345}', b"12345")
        assert it.shown.whole == 1


async def test_other_connections_may_repeat_it_and_other_bytes_may_not() -> None:
    async with served() as it, it.connect() as one, it.connect() as two:
        await one.ask(GET)
        await two.ask(GET)
        assert (it.shown.whole, it.shown.again) == (1, 1)
        await two.ask(GET.replace(b"Host: x", b"Host: y"))
        assert (it.shown.whole, it.shown.again) == (2, 1)


async def test_what_comes_while_an_answer_is_made_is_answered_after_it() -> None:
    async with served() as it, it.connect() as line:
        await line.ask(GET)
        await it.ask_without_answer(line)
        assert it.pressure.in_progress == 1
        line.send(OTHER + GET)
        async with it.connect() as elsewhere:  # whose answer tells that those were received
            await elsewhere.ask(OTHER)
        it.shown.tell()
        bodies = [(await line.answer())[2] for _ in range(3)]
        assert bodies == [b'{"is":7}', b'"other"', b'{"is":7}']
        assert it.pressure.in_progress == 0


async def test_a_request_that_comes_before_the_last_ones_task_is_back_is_repeated_too() -> None:
    async with served() as it, it.connect() as line:
        it.shown.quickly_next = [GET]
        bodies = [(await line.ask(GET))[2], (await line.answer())[2]]
        assert bodies == [b'{"is":7}', b'{"is":7}']
        assert (it.shown.whole, it.shown.again) == (1, 1)


async def test_a_request_that_comes_quickly_and_is_another_is_answered_too() -> None:
    async with served() as it, it.connect() as line:
        it.shown.quickly_next = [OTHER + GET]
        bodies = [(await line.ask(GET))[2], (await line.answer())[2], (await line.answer())[2]]
        assert bodies == [b'{"is":7}', b'"other"', b'{"is":7}']


async def test_a_large_body_may_come_quickly_too() -> None:
    """In pieces, within the same moment: it is no small request, and no flood either."""
    body = b"x" * (2 * MAX_HELD_BYTES)
    head = b"POST /v2/bookings HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n" % len(body)
    async with served() as it, it.connect() as line:
        it.shown.quickly_next = (head + AUTH + b"\r\n", body)
        assert [(await line.ask(GET))[0], (await line.answer())[0]] == [200, 200]
        assert (it.shown.whole, it.shown.again) == (2, 0)


async def test_a_request_that_has_no_direct_answer_goes_the_whole_way() -> None:
    async with served() as it, it.connect() as line:
        await line.ask(GET)
        it.shown.has_answer = False
        assert (await line.ask(GET))[2] == b'{"is":7}'
        assert (it.shown.whole, it.shown.again) == (2, 1)


async def test_a_revoked_key_is_refused_as_soon_as_by_the_whole_way() -> None:
    async with served() as it, it.connect() as line:
        await line.ask(GET)
        it.keys.is_revoked = True
        it.now += CACHE_SECONDS / 2
        assert (await line.ask(GET))[0] == 200
        it.now += CACHE_SECONDS / 2 + 0.001
        assert (await line.ask(GET))[0] == 401
        assert it.shown.again == 1


async def test_a_body_that_looks_like_a_request_is_a_body() -> None:
    head = b"POST /v2/nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(GET)
    async with served() as it, it.connect() as line, it.connect() as elsewhere:
        await line.ask(GET)
        assert (await line.ask(head))[0] == 404  # before its body has come
        line.send(GET)
        await elsewhere.ask(OTHER)  # whose answer tells that the body was received alone
        assert (await line.ask(OTHER))[2] == b'"other"'
        assert it.shown.again == 0


@pytest.mark.parametrize("spoilt", [b"Content-Length: 3\r\n", b"Connection: close\r\n"])
async def test_a_request_that_is_not_all_or_is_the_last_is_not_remembered(spoilt: bytes) -> None:
    request = GET[:-2] + spoilt + b"\r\n"
    async with served() as it:
        for _ in range(2):
            async with it.connect() as line:
                line.send(request)
                assert (await line.answer())[0] == 200
        assert (it.shown.whole, it.shown.again) == (2, 0)


async def test_a_process_that_stops_or_is_busy_repeats_nothing() -> None:
    async with served() as it, it.connect() as line:
        await line.ask(GET)
        it.pressure.max_in_progress = 0
        assert (await line.ask(GET))[0] == 503
        it.pressure.max_in_progress = 1
        it.pressure.is_closing = True
        assert (await line.ask(GET))[1][b"Connection"] == b"close"
        assert it.shown.again == 0


async def test_a_caller_who_leaves_or_floods_costs_nothing_more() -> None:
    async with served() as it:
        async with it.connect() as line:
            await line.ask(GET)
            await it.ask_without_answer(line)
            line.send(b"x" * (MAX_HELD_BYTES + 1))
            assert await line.is_ended()
        it.shown.tell()
        assert it.pressure.in_progress == 0
