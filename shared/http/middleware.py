"""The front door: one middleware gives every request its id, its app and, whatever happens, JSON.

Log lines carry the route's pattern and ids, never a key, a path as typed, or a query.
"""

from __future__ import annotations

import asyncio
from time import perf_counter

from aiohttp import web
from multidict import istr

from shared.accounts.keyring import KeyRing
from shared.booking_api.errors import PayloadTooLarge
from shared.fast_ids import new_id
from shared.http.access import IDENTITY, Handler, admit
from shared.http.access_log import SLOW_SECONDS, write_access_line
from shared.http.answers import CACHE_CONTROL, REQUEST_ID_HEADER, SECURITY_HEADERS, SERVER, UNCACHED
from shared.http.content_codings import check_coding, decoded
from shared.http.cors import allow_origin, is_preflight, preflight_answer
from shared.http.limits import Limits
from shared.http.pressure import PRESSURE, Pressure
from shared.http.problems import BodyTooSlow, answer_to, route_of
from shared.metrics import note_refusal, note_request
from shared.telemetry import REQUEST_ID

MAX_BODY_BYTES = 2 * 1024 * 1024
BODY_SECONDS = 30
_TEST_MODE = istr("Timekit-TestMode")
_VARY, _ORIGIN = istr("Vary"), istr("Origin")
CHALLENGE = 'Basic realm="Seatledger", charset="UTF-8"'


def new_application(
    ring: KeyRing,
    max_body_bytes: int = MAX_BODY_BYTES,
    limits: Limits | None = None,
    pressure: Pressure | None = None,
    logs_all: bool = True,
) -> web.Application:
    """An application behind the front door; routes are added by the services."""
    pressure = pressure or Pressure()
    door = FrontDoor(ring, max_body_bytes, limits or Limits(), pressure)
    door.log_from_seconds = 0.0 if logs_all else SLOW_SECONDS
    app = web.Application(client_max_size=max_body_bytes, middlewares=[web.middleware(door)])
    app[PRESSURE] = pressure
    app.on_response_prepare.append(door.stamp)
    return app


def request_id_of(request: web.Request) -> str:
    """The id that the answer and every log line of this request carry."""
    return request[_REQUEST_ID]


async def read_body(request: web.Request) -> bytes:
    """The body, whole and decoded: UnsupportedCoding for one that we do not know, PayloadTooLarge
    past the limit, BodyTooSlow after BODY_SECONDS."""
    check_coding(request)
    try:
        if request.content.is_eof():  # it came with the head: nothing to wait for
            return decoded(await request.read(), request)
        async with asyncio.timeout(BODY_SECONDS):
            return decoded(await request.read(), request)
    except TimeoutError:
        raise BodyTooSlow from None
    except web.RequestPayloadError:
        request.content.feed_eof()  # nothing more to wait for: this connection ends
        request.protocol.close()
        raise


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
            response = answer_to(error, request)
            if request.writer.output_size:  # a stream broke off: its end must not look whole
                _abort(request)
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
        if request.match_info.http_exception is None:
            self._limits.admit_key(await admit(request, self._ring))
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


def _abort(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()
    raise ConnectionResetError("the answer broke off")


_REQUEST_ID = web.RequestKey("request_id", str)
