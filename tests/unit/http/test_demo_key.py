"""The published demo key serves this machine alone: pages and names from elsewhere are refused."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
import pytest_asyncio
from aiohttp import web

from shared.accounts.keyring import KeyRing
from shared.http.answers import raw_json_answer
from shared.http.fast_lane.connection import repeat_requests
from shared.http.fast_lane.repeating import Asked, Repeated, Tell, allow_repeating
from shared.http.middleware import new_application, read_body
from shared.http.server import listen, serving
from tests.unit.http.doors import MASTER, KnownKeys, basic

DEMO, OWN = "test", "live"
LOCAL_NAMES = (
    *("127.0.0.1", "127.0.0.1:8000", "127.5.6.7:1", "localhost", "localhost:8000", "LOCALHOST:80"),
    *(
        "[::1]",
        "[::1]:8000",
        "app.localhost:3000",
        "localhost.",
    ),
)
ELSEWHERE = (
    *("evil.example", "evil.example:8000", "localhost.evil.example", "127.0.0.1.evil.example:80"),
    *("10.0.0.1:8000", "192.168.1.7", "[fe80::1]:8000", "notlocalhost", "localhost@e.x"),
    *("0.0.0.0:80", "128.0.0.1", "2130706433", "127.0.0.1@evil.example", "local host", "["),
)
LOCAL_ORIGINS = ("http://127.0.0.1:3000", "https://localhost", "http://[::1]:5173")
FOREIGN_ORIGINS = (
    *("https://evil.example", "http://evil.example:8000", "null", "http://127.0.0.1.evil.example"),
    *(
        "file://",
        "http://localhost.evil.example",
        "https://10.0.0.1",
        "chrome-extension://abc",
        "x",
    ),
)


@dataclass
class Door:
    """A served application and what was done in it."""

    port: int = 0
    done: list[bytes] = field(default_factory=list)

    async def book(self, request: web.Request) -> web.Response:
        self.done.append(await read_body(request))
        allow_repeating(request, self._again, {})
        return raw_json_answer(b'"done"')

    def _again(self, asked: Asked, tell: Tell) -> None:
        self.done.append(asked.body)
        tell(Repeated(b'"done"', {}))

    async def ask(self, *heads: bytes, body: bytes = b"{}") -> list[tuple[int, bytes]]:
        """The answers to these requests on one connection, one after another."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        answers = []
        for head in heads:
            length = b"Content-Length: %d\r\n\r\n" % len(body)
            writer.write(head + length + body)
            async with asyncio.timeout(20):
                top = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                headers = dict(line.split(": ", 1) for line in top[:-4].split("\r\n")[1:])
                said = await reader.readexactly(int(headers["Content-Length"]))
            answers.append((int(top.split()[1]), said))
        writer.close()
        return answers


@pytest_asyncio.fixture
async def door() -> AsyncIterator[Door]:
    door = Door()
    ring = KeyRing(KnownKeys(), MASTER, published=[DEMO])
    app = new_application(ring, logs_all=False)
    app.add_routes([web.post("/v2/bookings", door.book)])
    repeat_requests(app, ring)
    listener = listen("127.0.0.1", 0)
    door.port = listener.getsockname()[1]
    async with serving(app, listener):
        yield door


def head(key: str, host: str, origin: str | None = None, target: str = "/v2/bookings") -> bytes:
    more = "" if origin is None else f"Origin: {origin}\r\n"
    authorization = basic(f":{key}".encode())
    return (
        f"POST {target} HTTP/1.1\r\nHost: {host}\r\nAuthorization: {authorization}\r\n{more}"
    ).encode()


def is_refused(answer: tuple[int, bytes]) -> bool:
    return answer[0] == 403 and b'"code":"demo_key_elsewhere"' in answer[1]


@pytest.mark.parametrize("host", LOCAL_NAMES)
async def test_names_of_this_machine_are_served(door: Door, host: str) -> None:
    for origin in (None, *LOCAL_ORIGINS):
        answers = await door.ask(*[head(DEMO, host, origin)] * 3)
        assert [status for status, _ in answers] == [200] * 3


@pytest.mark.parametrize("host", ELSEWHERE)
async def test_another_name_is_refused_before_anything_is_done(door: Door, host: str) -> None:
    for origin in (None, *LOCAL_ORIGINS, f"http://{host}"):
        asked = [head(DEMO, "localhost"), *[head(DEMO, host, origin)] * 3]
        first, *answers = await door.ask(*asked)
        assert first[0] == 200
        assert all(is_refused(answer) or answer[0] == 400 for answer in answers), answers
    assert len(door.done) == 5


@pytest.mark.parametrize("origin", FOREIGN_ORIGINS)
async def test_a_page_from_elsewhere_is_refused_before_anything_is_done(
    door: Door, origin: str
) -> None:
    """Also behind a head that came before; and a write counts, readable or not."""
    for host in LOCAL_NAMES:
        answers = await door.ask(*[head(DEMO, host, origin)] * 3)
        assert all(is_refused(answer) for answer in answers)
    assert door.done == []
    local = await door.ask(head(DEMO, "localhost", LOCAL_ORIGINS[0]), head(DEMO, "localhost"))
    assert [status for status, _ in local] == [200, 200]


async def test_an_address_in_the_request_line_counts_too(door: Door) -> None:
    far, near = "http://evil.example/v2/bookings", "http://localhost:8000/v2/bookings"
    [refused, served] = await door.ask(
        head(DEMO, "localhost", target=far), head(DEMO, "localhost", target=near)
    )
    assert is_refused(refused) and served[0] == 200


async def test_keys_of_ones_own_are_served_anywhere(door: Door) -> None:
    for host in ("evil.example", "10.0.0.1:8000"):
        for origin in (None, "https://evil.example", "null"):
            answers = await door.ask(*[head(OWN, host, origin)] * 2)
            assert [status for status, _ in answers] == [200, 200]


async def test_a_key_that_nobody_has_tells_nothing_of_names(door: Door) -> None:
    [answer] = await door.ask(head("nobody's", "evil.example"))
    assert answer[0] == 401
