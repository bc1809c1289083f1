"""Requests that come again byte for byte are not parsed again: the handler answers them directly.

A handler that allows it leaves a way to make its answer anew, as fresh as the first one was. The
same bytes hold the same API key: they go the whole way through the front door again when the key
ring would look that key up again, and whenever the direct way has no answer. Kept are digests of
requests under a random key of this process, and never an answer's body.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from hashlib import blake2b
from time import perf_counter
from typing import Any, NamedTuple, TypeAlias

from aiohttp import HttpVersion11, web
from aiohttp.helpers import rfc822_formatted_time

from shared.accounts.keyring import KeyRing
from shared.fast_ids import new_id
from shared.http.access import key_in
from shared.http.pressure import CONNECTION, BoundedConnection
from shared.http.problems import route_of
from shared.metrics import note_request

MAX_REMEMBERED = 5_000
MAX_REQUEST_BYTES = 4 * 1024
MAX_HELD_BYTES = 64 * 1024
_DIGEST_BYTES = 16
_MADE_ANEW = frozenset(("date", "content-length", "timekit-request-id"))
_MORE_FOLLOWS = (b"\r\ncontent-length:", b"\r\ntransfer-encoding:", b"\r\nexpect:", b"\r\nupgrade:")


class Repeated(NamedTuple):
    """What an answer shows now: its body, and the headers that changed with it."""

    body: bytes
    headers: Mapping[str, str]


Tell: TypeAlias = Callable[[Repeated | None], None]
Again: TypeAlias = Callable[[Tell], None]
"""Calls back, at once or later, with what is shown now; None: the request must be handled."""


@dataclass(frozen=True, slots=True)
class _Allowed:
    again: Again
    changing: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Remembered:
    until: float
    head: bytes
    route: str
    again: Again

    def written(self, repeated: Repeated) -> bytes:
        """The whole answer."""
        changing = "".join([f"{name}: {value}\r\n" for name, value in repeated.headers.items()])
        anew = (
            f"{changing}Date: {rfc822_formatted_time()}\r\n"
            f"Content-Length: {len(repeated.body)}\r\nTimekit-Request-Id: {new_id()}\r\n\r\n"
        )
        return b"%b%b%b" % (self.head, anew.encode(), repeated.body)


ALLOWED = web.RequestKey("may_be_repeated", _Allowed)


def allow_repeating(request: web.Request, again: Again, headers: Mapping[str, str]) -> None:
    """`again` may answer when this very request comes again; `headers` of this answer will be
    those that it says then. It must answer as the handler would: for this key, and then."""
    request[ALLOWED] = _Allowed(again, frozenset(name.lower() for name in headers))


class Repeating:
    """The requests of one process that may be repeated; the oldest go first."""

    def __init__(self, ring: KeyRing, clock: Callable[[], float]) -> None:
        self._ring = ring
        self._clock = clock
        self._digest_key = os.urandom(32)
        self._remembered: dict[bytes, _Remembered] = {}

    def look_up(self, data: bytes) -> tuple[bytes | None, _Remembered | None]:
        """What stands for the request that `data` is, whole; and how it is repeated, if it is."""
        if not data.startswith(b"GET /v2/") or len(data) > MAX_REQUEST_BYTES:
            return None, None
        digest = blake2b(data, digest_size=_DIGEST_BYTES, key=self._digest_key).digest()
        remembered = self._remembered.get(digest)
        if remembered is not None and self._clock() <= remembered.until:
            return digest, remembered
        return digest if _is_whole(data) else None, None

    async def remember(self, request: web.Request, response: web.StreamResponse) -> None:
        """Called once an answer has all its headers: from now on the request may be repeated."""
        allowed = request.get(ALLOWED)
        if allowed is None or not _is_plain(request, response):
            return
        digest = getattr(request.protocol, "asked", None)
        key = key_in(request.headers.get("Authorization"))
        if digest is not None and key is not None:
            until, head = self._ring.holds_until(key), _head(response, allowed.changing)
            self._put(digest, _Remembered(until, head, route_of(request), allowed.again))

    def _put(self, digest: bytes, remembered: _Remembered) -> None:
        self._remembered.pop(digest, None)
        self._remembered[digest] = remembered
        if len(self._remembered) > MAX_REMEMBERED:
            del self._remembered[next(iter(self._remembered))]


class RepeatingConnection(BoundedConnection):
    """A connection that looks at a request's bytes before they are parsed. One answer at a time:
    what comes while one is made waits behind it."""

    __slots__ = ("_held", "_repeating", "asked")

    def __init__(self, *arguments: Any, repeating: Repeating, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._repeating = repeating
        self._held: bytes | None = None
        self.asked: bytes | None = None
        """Stands for the request that is being handled, if it may be remembered."""

    def data_received(self, data: bytes) -> None:
        if self._held is not None:
            self._hold(data)
            return
        self.asked = None
        if self._is_idle():
            self.asked, remembered = self._repeating.look_up(data)
            if remembered is not None:
                self._begin(data, remembered)
                return
        super().data_received(data)

    def _is_idle(self) -> bool:
        """Whether the last request is answered, read to its end, and the next has not begun; and
        nothing speaks against another."""
        waiting = self._waiter
        return (
            waiting is not None
            and not waiting.done()
            and self._is_between_requests()
            and not (self._pressure.is_high or self._pressure.is_closing or self.writing_paused)
        )

    def _begin(self, data: bytes, remembered: _Remembered) -> None:
        self._held = b""
        self._pressure.in_progress += 1
        self._next_keepalive_close_time = self._loop.time() + self._keepalive_timeout
        remembered.again(partial(self._end, data, remembered, perf_counter()))

    def _end(
        self,
        data: bytes,
        remembered: _Remembered,
        started_at: float,
        repeated: Repeated | None,
    ) -> None:
        held, self._held = self._held, None
        self._pressure.in_progress -= 1
        if self.transport is None:
            return
        if repeated is None:
            super().data_received(data)
        else:
            self.transport.write(remembered.written(repeated))
            note_request("GET", remembered.route, 200, started_at)
        if held:
            self.data_received(held)

    def _hold(self, data: bytes) -> None:
        assert self._held is not None
        self._held += data
        if len(self._held) > MAX_HELD_BYTES:
            self.force_close()


def repeat_requests(
    app: web.Application, ring: KeyRing, clock: Callable[[], float] = time.monotonic
) -> None:
    """From now on the application's connections repeat requests whose handlers allow it; `clock`
    is the ring's."""
    repeating = Repeating(ring, clock)
    app.on_response_prepare.append(repeating.remember)
    connect: Callable[..., BoundedConnection] = partial(RepeatingConnection, repeating=repeating)
    app[CONNECTION] = connect


def _is_whole(data: bytes) -> bool:
    """Whether `data` is one request and all of it."""
    if data.find(b"\r\n\r\n") != len(data) - 4:
        return False
    head = data.lower()
    return not any(name in head for name in _MORE_FOLLOWS)


def _is_plain(request: web.Request, response: web.StreamResponse) -> bool:
    return (
        isinstance(response, web.Response)
        and response.status == 200
        and bool(response.keep_alive)
        and request.version == HttpVersion11
        and not response.compression
        and "Connection" not in response.headers
    )


def _head(response: web.StreamResponse, changing: frozenset[str]) -> bytes:
    lines = [
        f"{name}: {value}"
        for name, value in response.headers.items()
        if name.lower() not in _MADE_ANEW | changing
    ]
    head = "\r\n".join(("HTTP/1.1 200 OK", *lines, ""))
    if head.count("\n") != len(lines) + 1:
        raise ValueError("a header holds a line break")
    return head.encode()
