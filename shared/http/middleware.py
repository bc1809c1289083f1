"""Middleware: gives every request its id and its app, and every error a JSON answer.

Log lines carry the route's pattern and ids, never a key, a path as typed, or a query.
"""

from __future__ import annotations

import asyncio
from time import perf_counter

from aiohttp import StreamReader, web
from multidict import istr

from shared.accounts.keyring import KeyRing
from shared.booking_api.errors import PayloadTooLarge, TooBusy
from shared.http.access import IDENTITY, RING, Handler, admit
from shared.http.access_log import SLOW_SECONDS, write_access_line
from shared.http.answers import CACHE_CONTROL, REQUEST_ID_HEADER, SECURITY_HEADERS, SERVER, UNCACHED
from shared.http.bounds.limits import Limits
from shared.http.bounds.pressure import PRESSURE, Pressure
from shared.http.cors import allow_origin, is_preflight, preflight_answer
from shared.http.problems import BodyTooSlow, answer_to, route_of
from shared.http.requests.addresses import ADDRESSES, Addresses, check_host
from shared.http.requests.checked import check_asked, check_literal
from shared.http.requests.content_codings import check_coding, decoded
from shared.runtime.ids import new_id
from shared.runtime.metrics import SHED, note_refusal, note_request
from shared.runtime.telemetry import REQUEST_ID

MAX_BODY_BYTES = 2 * 1024 * 1024
BODY_SECONDS = 30.0
FIRST_BYTE_SECONDS = 5.0
"""Of a body: callers that are well send it right behind the head."""
CALLER_LEFT = 499
"""What is counted, and never sent, when the caller did not wait for its answer."""
_TEST_MODE = istr("Timekit-TestMode")
_VARY, _ORIGIN = istr("Vary"), istr("Origin")
CHALLENGE = 'Basic realm="Seatledger", charset="UTF-8"'


def new_application(
    ring: KeyRing,
    max_body_bytes: int = MAX_BODY_BYTES,
    limits: Limits | None = None,
    pressure: Pressure | None = None,
    logs_all: bool = True,
    addresses: Addresses | None = None,
) -> web.Application:
    """An application behind the front door; routes are added by the services."""
    pressure = pressure or Pressure()
    door = FrontDoor(ring, max_body_bytes, limits or Limits(), pressure)
    door.log_from_seconds = 0.0 if logs_all else SLOW_SECONDS
    app = web.Application(client_max_size=max_body_bytes, middlewares=[web.middleware(door)])
    app[PRESSURE] = pressure
    app[RING] = ring
    app[ADDRESSES] = addresses or Addresses()
    app.on_response_prepare.append(door.stamp)
    return app


def request_id_of(request: web.Request) -> str:
    """The id that the answer and every log line of this request carry."""
    return request[_REQUEST_ID]


async def read_body(request: web.Request) -> bytes:
    """The body, whole and decoded: UnsupportedCoding for one that we do not know, PayloadTooLarge
    past the limit. Whoever is waited for holds no slot, but a place for waiting bodies:
    TooManyRequests, TooBusy, or BodyTooSlow."""
    check_coding(request)
    try:
        if request.content.is_eof():  # it came with the head: nothing to wait for
            return decoded(await request.read(), request)
        return decoded(await _wait_for_body(request), request)
    except web.RequestPayloadError:
        request.content.feed_eof()  # nothing more to wait for: this connection ends
        request.protocol.close()
        raise


async def _wait_for_body(request: web.Request) -> bytes:
    pressure, identity = request.app[PRESSURE], request.get(IDENTITY)
    caller = None if identity is None else identity.key_id
    with pressure.bodies.place(caller), pressure.aside():
        body = await _read_in_time(request)
    if pressure.is_high:
        SHED.add(("busy",))
        raise TooBusy
    return body


async def _read_in_time(request: web.Request) -> bytes:
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(BODY_SECONDS) as bound:
            silence = loop.call_later(FIRST_BYTE_SECONDS, _end_silence, request.content, bound)
            try:
                return await request.read()
            finally:
                silence.cancel()
    except TimeoutError:
        raise BodyTooSlow from None


def _end_silence(content: StreamReader, bound: asyncio.Timeout) -> None:
    if not content.total_raw_bytes:
        bound.reschedule(asyncio.get_running_loop().time())


class FrontDoor:
    """Ids, limits, authentication, size limit, problems, CORS and access log, in this order."""

    def __init__(
        self, ring: KeyRing, max_body_bytes: int, limits: Limits, pressure: Pressure
    ) -> None:
        self._ring = ring
        self._max_body_bytes = max_body_bytes
        self._limits = limits
        self._pressure = pressure
        self.log_from_seconds = 0.0

    async def __call__(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        started_at = perf_counter()
        request_id = str(new_id())
        request[_REQUEST_ID] = request_id
        REQUEST_ID.set(request_id)
        self._pressure.in_progress += 1
        try:
            response = await self._answer(request, handler)
        except web.HTTPRedirection as redirect:
            self._note(request, redirect.status, started_at)
            raise
        except Exception as error:
            response = _problem(error, request)
        finally:
            self._pressure.in_progress -= 1
        self._note(request, response.status, started_at)
        if response.status >= 400:
            note_refusal(response.status, getattr(response, "body", None))
        return response

    async def _answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if is_preflight(request):
            return preflight_answer(request)
        self._limits.admit_address(request)
        check_host(request)
        if request.match_info.http_exception is None:
            check_literal(request)
            self._limits.admit_key(await admit(request, self._ring))
            check_asked(request)
            if (request.content_length or 0) > self._max_body_bytes:
                raise PayloadTooLarge(self._max_body_bytes)
        return await handler(request)

    def _note(self, request: web.Request, status: int, started_at: float) -> None:
        if status >= 500 or perf_counter() - started_at >= self.log_from_seconds:
            write_access_line(request, status, started_at)
        note_request(request.method, route_of(request), status, started_at)

    async def stamp(self, request: web.Request, response: web.StreamResponse) -> None:
        """The headers that every answer carries, streams and errors included."""
        headers = response.headers
        headers[REQUEST_ID_HEADER] = request.get(_REQUEST_ID) or str(new_id())
        headers.add(_VARY, "Origin")
        identity = request.get(IDENTITY)
        if identity is not None and identity.is_test:
            headers[_TEST_MODE] = "true"
        origin = request.headers.get(_ORIGIN)
        if origin is not None:
            allow_origin(origin, headers)
        elif response.status == 401 and "Sec-Fetch-Mode" not in request.headers:
            headers["WWW-Authenticate"] = CHALLENGE  # scripts' calls: a browser would ask the user
        headers.extend(SECURITY_HEADERS if CACHE_CONTROL in headers else UNCACHED)
        headers[SERVER[0]] = SERVER[1]
        if request.secure:
            headers["Strict-Transport-Security"] = "max-age=31536000"
        if self._pressure.is_closing:
            response.force_close()
            headers["Connection"] = "close"


def _problem(error: Exception, request: web.Request) -> web.Response:
    transport = request.transport
    has_left = transport is None or transport.is_closing()
    if has_left and isinstance(error, ConnectionError):
        return web.Response(status=CALLER_LEFT)  # goes nowhere
    response = answer_to(error, request)
    if request.writer.output_size and transport is not None:
        transport.abort()  # a stream broke off: its end must not look whole
    return response


_REQUEST_ID = web.RequestKey("request_id", str)
