"""Fast path: when a connection resends identical headers, parsing and routing are skipped.

A handler that allows it leaves a way to make its answer anew, out of another body if there is one.
The same bytes hold the same API key: they go the whole way through the front door again when the
key ring would look that key up again, and whenever the direct way has no answer. Kept are digests
of heads under a random key of this process, and never a request's or an answer's body.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from http import HTTPStatus
from time import perf_counter
from typing import NamedTuple, TypeAlias

from aiohttp import HttpVersion11, web
from aiohttp.helpers import rfc822_formatted_time

from shared.accounts.keyring import KeyRing
from shared.accounts.keys import Identity
from shared.http.access import IDENTITY, key_in
from shared.http.access_log import SLOW_SECONDS, write_line_of
from shared.http.problems import route_of
from shared.runtime.metrics import note_refusal, note_request

POST = b"POST /v2/bookings HTTP/1.1\r\n"
GET = b"GET /v2/"
MAX_REMEMBERED = 5_000
MAX_REQUEST_BYTES = 4 * 1024
_DIGEST_BYTES = 16
_MADE_ANEW = frozenset(("date", "content-length", "timekit-request-id"))
_SPECIAL = (b"\r\ntransfer-encoding:", b"\r\nexpect:", b"\r\nupgrade:")
_LENGTHS = re.compile(rb"\r\ncontent-length:[ \t]*(\d{1,9})[ \t]*(?=\r\n)")
_STATUS = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n" for status in HTTPStatus}


class Asked(NamedTuple):
    """A request that came again: its body, the id that it has this time, and whether its caller
    has left."""

    body: bytes
    request_id: str
    is_given_up: Callable[[], bool]


class Repeated(NamedTuple):
    """What is answered now: the body, the headers that changed with it, and the status."""

    body: bytes
    headers: Mapping[str, str]
    status: int = 200


Tell: TypeAlias = Callable[[Repeated | None], None]
Again: TypeAlias = Callable[[Asked, Tell], None]
"""Calls back, at once or later, with what is answered now; None, as long as nothing was done: the
request must be handled."""


@dataclass(frozen=True, slots=True)
class _Allowed:
    again: Again
    changing: frozenset[str]


@dataclass(frozen=True, slots=True)
class Remembered:
    """`length`: of the body that the head announces."""

    until: float
    length: int
    head: str
    method: str
    route: str
    identity: Identity | None
    again: Again

    def written(self, repeated: Repeated, request_id: str, ends: bool) -> bytes:
        """The whole answer; the connection `ends` with it."""
        changing = "".join([f"{name}: {value}\r\n" for name, value in repeated.headers.items()])
        head = (
            f"{_STATUS[repeated.status]}{self.head}{changing}Date: {rfc822_formatted_time()}\r\n"
            f"Content-Length: {len(repeated.body)}\r\nTimekit-Request-Id: {request_id}\r\n"
            f"{'Connection: close' + chr(13) + chr(10) if ends else ''}\r\n"
        )
        return head.encode() + repeated.body

    def note(self, repeated: Repeated, request_id: str, started_at: float) -> None:
        """Counts it; what failed or was slow gets its line, as by the whole way."""
        status = repeated.status
        note_request(self.method, self.route, status, started_at)
        if status >= 400:
            note_refusal(status, repeated.body)
        if status >= 500 or perf_counter() - started_at >= SLOW_SECONDS:
            write_line_of(self.method, self.route, status, started_at, self.identity, request_id)


ALLOWED = web.RequestKey("may_be_repeated", _Allowed)


def allow_repeating(request: web.Request, again: Again, headers: Mapping[str, str]) -> None:
    """`again` may answer when this head comes again; `headers` of this answer will be those that it
    says then. It must answer as the handler would: for this key, and then."""
    request[ALLOWED] = _Allowed(again, frozenset(name.lower() for name in headers))


class Repeating:
    """The requests of one process that may be repeated; the oldest go first."""

    def __init__(self, ring: KeyRing, clock: Callable[[], float]) -> None:
        self._ring = ring
        self._clock = clock
        self._digest_key = os.urandom(32)
        self._remembered: dict[bytes, Remembered] = {}

    def look_up(self, data: bytes) -> tuple[bytes | None, Remembered | None, bytes]:
        """What stands for the head of the request that `data` is, whole; how it is repeated, if it
        is; and its body."""
        head, body = _parted(data)
        if not head or len(head) > MAX_REQUEST_BYTES:
            return None, None, b""
        digest = blake2b(head, digest_size=_DIGEST_BYTES, key=self._digest_key).digest()
        remembered = self._remembered.get(digest)
        if remembered is None or self._clock() > remembered.until:
            return digest if _is_whole(head, body) else None, None, b""
        if remembered.length != len(body):  # in pieces, or with another request behind it
            return None, None, b""
        return digest, remembered, body

    async def remember(self, request: web.Request, response: web.StreamResponse) -> None:
        """Called once an answer has all its headers: from now on the request may be repeated."""
        allowed = request.get(ALLOWED)
        if allowed is None or not _is_plain(request, response):
            return
        digest = getattr(request.protocol, "asked", None)
        key = key_in(request.headers.get("Authorization"))
        if digest is not None and key is not None:
            self._put(
                digest,
                Remembered(
                    self._ring.holds_until(key),
                    request.content_length or 0,
                    _head(response, allowed.changing),
                    request.method,
                    route_of(request),
                    request.get(IDENTITY),
                    allowed.again,
                ),
            )

    def _put(self, digest: bytes, remembered: Remembered) -> None:
        self._remembered.pop(digest, None)
        self._remembered[digest] = remembered
        if len(self._remembered) > MAX_REMEMBERED:
            del self._remembered[next(iter(self._remembered))]


def _parted(data: bytes) -> tuple[bytes, bytes]:
    """Head and body of a request that may be repeated, by its looks; empty otherwise."""
    if data.startswith(GET):
        return data, b""
    if not data.startswith(POST):
        return b"", b""
    end = data.find(b"\r\n\r\n") + 4
    return data[:end], data[end:]


def _is_whole(head: bytes, body: bytes) -> bool:
    """Whether this is one request and all of it."""
    if head.find(b"\r\n\r\n") != len(head) - 4:
        return False
    lowered = head.lower()
    lengths = [int(length) for length in _LENGTHS.findall(lowered)]
    return lengths == ([len(body)] if body else []) and not any(n in lowered for n in _SPECIAL)


def _is_plain(request: web.Request, response: web.StreamResponse) -> bool:
    return (
        isinstance(response, web.Response)
        and response.status in (200, 201)
        and bool(response.keep_alive)
        and request.version == HttpVersion11
        and not response.compression
        and "Connection" not in response.headers
    )


def _head(response: web.StreamResponse, changing: frozenset[str]) -> str:
    """The header lines that stay as they are."""
    lines = [
        f"{name}: {value}\r\n"
        for name, value in response.headers.items()
        if name.lower() not in _MADE_ANEW | changing
    ]
    head = "".join(lines)
    if head.count("\n") != len(lines) or head.count("\r") != len(lines):
        raise ValueError("a header holds a line break")
    return head
