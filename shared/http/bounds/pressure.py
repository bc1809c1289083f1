"""Load shedding: bounds requests in progress and connections before they cost anything.

Past the bound a whole request that has just arrived is answered 503 with Retry-After from ready
bytes, without being parsed; what is under way goes on at full speed. A head that trickles in has
ten seconds, and so has a reader that takes nothing. Who waits for its caller does not count as
under way (decision 0041). Health and metrics are never refused.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

from aiohttp import web

from shared.booking_api.errors import TooBusy
from shared.http.answers import SERVER, UNCACHED, encode_json
from shared.http.bounds.shares import Shares
from shared.http.problems import answer_to
from shared.http.requests.unreadable import answer_to_unreadable
from shared.runtime.metrics import SHED

HEAD_SECONDS = 10.0
WRITE_SECONDS = 10.0
"""What a reader may take to make room for more, before its connection ends."""
MAX_IN_PROGRESS = 512
MAX_CONNECTIONS = 10_000
MAX_WAITING_BODIES = 1024
"""Requests whose body has not come yet: of all callers together."""
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d{1,9})[ \t]*(?:\r\n|\Z)")
_KINDS = tuple(f"{method} /v2/".encode() for method in ("GET", "HEAD", "POST", "PUT", "DELETE"))
_BODY = encode_json(TooBusy().to_body())
_HEADERS = "".join(f"{name}: {value}\r\n" for name, value in (*UNCACHED, SERVER))


class Pressure:
    """How much this process does at once, and how much it may."""

    def __init__(
        self, max_in_progress: int = MAX_IN_PROGRESS, max_connections: int = MAX_CONNECTIONS
    ) -> None:
        self.max_in_progress = max_in_progress
        self.max_connections = max_connections
        self.in_progress = 0
        self.connections = 0
        self.bodies = Shares(MAX_WAITING_BODIES, "waiting bodies")
        self.is_closing = False
        self.is_empty = asyncio.Event()
        self.is_empty.set()

    def came(self) -> None:
        self.connections += 1
        self.is_empty.clear()

    def left(self) -> None:
        self.connections -= 1
        if not self.connections:
            self.is_empty.set()

    @property
    def is_high(self) -> bool:
        return self.in_progress >= self.max_in_progress

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Inside the block a request waits for its caller, and does not count as under way."""
        self.in_progress -= 1
        try:
            yield
        finally:
            self.in_progress += 1


PRESSURE = web.AppKey("pressure", Pressure)


class BoundedConnection(web.RequestHandler):
    """One connection: refused when there are too many, ended when its head does not come or its
    answer is not taken."""

    __slots__ = ("_head_timer", "_is_counted", "_pressure", "_reader_timer")

    def __init__(self, manager: web.Server, pressure: Pressure, **options: Any) -> None:
        super().__init__(manager, loop=asyncio.get_running_loop(), **options)
        self._pressure = pressure
        self._is_counted = False
        self._head_timer: asyncio.TimerHandle | None = None
        self._reader_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._pressure.came()
        self._is_counted = True
        if self._pressure.connections > self._pressure.max_connections:
            SHED.add(("connections",))
            self.force_close()

    def connection_lost(self, exc: BaseException | None) -> None:
        if self._is_counted:
            self._is_counted = False
            self._pressure.left()
        self._end_timer()
        self._end_reader_timer()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        super().pause_writing()
        if self.transport is not None:
            self._watch_reader(self.transport)

    def resume_writing(self) -> None:
        self._end_reader_timer()
        super().resume_writing()

    def _watch_reader(self, transport: asyncio.Transport) -> None:
        untaken = transport.get_write_buffer_size()
        self._reader_timer = self._loop.call_later(
            WRITE_SECONDS, self._reader_is_late, transport, untaken
        )

    def _reader_is_late(self, transport: asyncio.Transport, untaken: int) -> None:
        if transport.get_write_buffer_size() < untaken:
            self._watch_reader(transport)
            return
        self._reader_timer = None
        SHED.add(("slow reader",))
        transport.abort()

    def _end_reader_timer(self) -> None:
        if self._reader_timer is not None:
            self._reader_timer.cancel()
            self._reader_timer = None

    def data_received(self, data: bytes) -> None:
        if self._pressure.is_high and self._is_between_requests() and self._refuse(data):
            return
        super().data_received(data)
        if self._messages or self._current_request is not None:
            self._end_timer()
        elif data and self._head_timer is None and self._is_between_requests(with_head=True):
            self._head_timer = self._loop.call_later(HEAD_SECONDS, self._head_is_late)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        if request.writer.output_size > 0:
            raise ConnectionError("the answer has begun: it must not look whole")
        return answer_to_unreadable(request, status, exc)

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        if isinstance(resp, web.HTTPException) and resp.status >= 400:  # aiohttp's own words
            assert isinstance(request, web.Request)
            resp = answer_to(resp, request)
        return await super().finish_response(request, resp, start_time)

    def _is_between_requests(self, with_head: bool = False) -> bool:
        return (
            self._current_request is None
            and not self._messages
            and not self._request_in_progress
            and not (self._close or self._force_close)
            and (with_head or self._head_timer is None)
        )

    def _refuse(self, data: bytes) -> bool:
        """False when it is not a whole request, or one that is always answered."""
        ends = _ends_connection(data)
        if ends is None or self.transport is None:
            return False
        SHED.add(("busy",))
        self._next_keepalive_close_time = self._loop.time() + self._keepalive_timeout
        self.transport.write(_answer(with_body=not data.startswith(b"HEAD"), ends=ends))
        if ends:
            self.force_close()
        return True

    def _head_is_late(self) -> None:
        self._head_timer = None
        if self._is_between_requests(with_head=True):
            SHED.add(("slow head",))
            self.force_close()

    def _end_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None


CONNECTION: web.AppKey[Callable[..., BoundedConnection]] = web.AppKey("connection")
"""What an application's connections are made by, where they are to know more than this."""


class BoundedServer(web.Server):
    """Makes bounded connections for an application's requests."""

    def __init__(self, plain: web.Server, app: web.Application, options: dict[str, Any]) -> None:
        super().__init__(plain.request_handler, request_factory=plain.request_factory, **options)
        self._pressure = app[PRESSURE]
        self._connection = app.get(CONNECTION, BoundedConnection)

    def __call__(self) -> web.RequestHandler:
        return self._connection(self, self._pressure, **self._kwargs)


class BoundedRunner(web.AppRunner):
    """An application's runner whose connections are bounded by its `PRESSURE`."""

    async def _make_server(self) -> web.Server:
        plain = await super()._make_server()
        return BoundedServer(plain, self.app, self._kwargs)


def _ends_connection(data: bytes) -> bool | None:
    """Whether the connection ends with this request; None when it is not exactly one, whole."""
    end = data.find(b"\r\n\r\n")
    if end < 0 or not data.startswith(_KINDS):
        return None
    head = data[:end].lower()
    if b"\r\ntransfer-encoding:" in head or b"\r\nexpect:" in head or b"\r\nupgrade:" in head:
        return None
    length = _LENGTH.search(head)
    if end + 4 + (int(length[1]) if length else 0) != len(data):
        return None
    return b"\r\nconnection: close" in head or b" http/1.0\r\n" in head


def _answer(with_body: bool, ends: bool) -> bytes:
    head = (
        "HTTP/1.1 503 Service Unavailable\r\n"
        "Content-Type: application/json\r\n"
        f"Content-Length: {len(_BODY)}\r\n"
        "Retry-After: 1\r\n"
        "Access-Control-Allow-Origin: *\r\n"
        f"{_HEADERS}"
        f"Timekit-Request-Id: {uuid4()}\r\n"
        f"{'Connection: close' + chr(13) + chr(10) if ends else ''}\r\n"
    )
    return head.encode() + (_BODY if with_body else b"")
