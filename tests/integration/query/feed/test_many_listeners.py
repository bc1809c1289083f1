"""A thousand live streams cost one follower; one that does not read costs nobody else anything."""

from __future__ import annotations

import asyncio
import re
import resource
import socket
from collections.abc import Iterator
from contextlib import AsyncExitStack, closing
from typing import Any
from urllib.parse import urlsplit

import pytest
from aiohttp import encode_basic_auth
from aiohttp.web import Request

from services.query.http import feed
from services.query.reads import live_feed
from services.query.reads.feed import item_of
from services.query.reads.live_feed import Listener, LiveFeed
from shared.http.bounds import pressure
from tests.integration.query.api import KEY, Api
from tests.integration.query.scenario import Scenario

CLIENTS, EVENTS, AT_ONCE = 1_000, 12, 100
OTHER_FILES = 300
PATIENCE = 60
SMALL = 4_096
LONG_TEXT = "x" * 20_000
_ID = re.compile(rb"^id: (\d+)\nevent: seatledger", re.MULTILINE)


@pytest.fixture
def clients() -> Iterator[int]:
    """How many there can be: each takes two open files, its own and the service's."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = max(soft, min(hard, 2 * CLIENTS + OTHER_FILES))
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    yield min(CLIENTS, (wanted - OTHER_FILES) // 2)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


class Stream:
    """One connection that asked for `GET /v2/events` live; what it read so far is in `text`."""

    def __init__(self, url: str) -> None:
        self._address = urlsplit(url)
        self.text = b""

    async def open(self, buffer: int | None = None) -> Stream:
        """Returns once the stream has begun; with `buffer` the kernel keeps little for it."""
        raw = socket.socket()
        if buffer is not None:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        raw.setblocking(False)
        address = (self._address.hostname, self._address.port)
        await asyncio.get_running_loop().sock_connect(raw, address)
        self._reader, self._writer = await asyncio.open_connection(sock=raw, limit=buffer or 2**16)
        self._writer.write(
            b"GET /v2/events HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n"
            b"Authorization: " + encode_basic_auth("", KEY).encode() + b"\r\n\r\n"
        )
        head = await self._reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200"), head
        return self

    async def read_until(self, position: int) -> list[int]:
        """The ids of all events up to that one, in the order in which they came."""
        while not self.ids or self.ids[-1] < position:
            await self._read_some()
        return self.ids

    async def read_to_the_end(self) -> bytes:
        """All that still comes, until the service ends it."""
        while await self._read_some():
            pass
        return self.text

    @property
    def ids(self) -> list[int]:
        return [int(found) for found in _ID.findall(self.text)]

    async def _read_some(self) -> int:
        """A chunk, as HTTP sends it; 0 after the last one."""
        size = int(await self._reader.readuntil(b"\r\n"), 16)
        self.text += await self._reader.readexactly(size)
        await self._reader.readuntil(b"\r\n")
        return size

    def close(self) -> None:
        self._writer.close()


async def test_a_thousand_streams_cost_one_follower_and_each_hears_everything(
    clients: int, scenario: Scenario, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    rendered: list[int] = []

    def counted(record: Any) -> Any:
        rendered.append(record.position)
        return item_of(record)

    monkeypatch.setattr(live_feed, "item_of", counted)
    group_id = await scenario.create(app_id=api.app_id, max_seats=EVENTS)
    async with AsyncExitStack() as stack, asyncio.timeout(PATIENCE):
        streams = [stack.enter_context(closing(Stream(api.url))) for _ in range(clients)]
        for first in range(0, clients, AT_ONCE):
            await asyncio.gather(*(one.open() for one in streams[first : first + AT_ONCE]))
        for _ in range(EVENTS):
            await scenario.book(group_id)
        heard = await asyncio.gather(*(one.read_until(scenario.position) for one in streams))
        followers = [task for task in asyncio.all_tasks() if task.get_name() == "live feed"]
    assert len(followers) == 1
    expected = list(range(2, EVENTS + 2))
    assert rendered == expected
    assert [ids for ids in heard if ids != expected] == []


@pytest.fixture
def small_buffers(monkeypatch: pytest.MonkeyPatch) -> None:
    """The service's kernel keeps little of what a client does not read."""
    begins_at = feed._last_seen

    def with_a_small_buffer(request: Request, head: int) -> int:
        assert request.transport is not None
        raw = request.transport.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SMALL)
        return begins_at(request, head)

    monkeypatch.setattr(feed, "_last_seen", with_a_small_buffer)


async def test_a_slow_client_is_told_that_it_was_dropped(
    small_buffers: None, scenario: Scenario, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_feed, "MAX_WAITING", 3)
    monkeypatch.setattr(pressure, "WRITE_SECONDS", PATIENCE)
    async with AsyncExitStack() as stack, asyncio.timeout(PATIENCE):
        slow, quick = (stack.enter_context(closing(Stream(api.url))) for _ in range(2))
        await slow.open(SMALL)
        await quick.open()
        for _ in range(40):
            await scenario.create(app_id=api.app_id, what=LONG_TEXT)
            assert (await quick.read_until(scenario.position))[-1] == scenario.position
        said = await slow.read_to_the_end()
    assert said.endswith(b'event: end\ndata: {"reason":"too slow"}\n\n')
    assert slow.ids == list(range(1, len(slow.ids) + 1))
    assert len(slow.ids) < len(quick.ids) == 40


async def test_a_client_that_never_reads_is_cut_off(
    small_buffers: None, scenario: Scenario, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = asyncio.Event()
    leave = LiveFeed.leave

    async def noticed(self: LiveFeed, listener: Listener) -> None:
        await leave(self, listener)
        gone.set()

    monkeypatch.setattr(LiveFeed, "leave", noticed)
    async with AsyncExitStack() as stack, asyncio.timeout(PATIENCE):
        stuck, quick = (stack.enter_context(closing(Stream(api.url))) for _ in range(2))
        await stuck.open(SMALL)
        monkeypatch.setattr(pressure, "WRITE_SECONDS", 0.2)
        for _ in range(40):
            await scenario.create(app_id=api.app_id, what=LONG_TEXT)
        await gone.wait()
        monkeypatch.setattr(pressure, "WRITE_SECONDS", PATIENCE)
        await quick.open()
        await scenario.create(app_id=api.app_id)
        assert await quick.read_until(scenario.position) == [41]
        with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
            await stuck.read_to_the_end()
