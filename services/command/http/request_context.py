"""Call context and response options of a write request, out of its headers, key and query."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache

from aiohttp import web
from multidict import istr

from services.command.commit.reply import Reply, ResponseOptions
from services.command.use_cases.call_context import CallContext, command_id_of
from shared.booking_api.circumstances import Circumstances
from shared.booking_api.public_keys.allow_list import check_own_includes
from shared.booking_api.reading.timestamps import (
    UTC_ZONE,
    Reading,
    Rendering,
    find_zone,
    reading_of,
    rendering_of,
)
from shared.booking_api.rendering.includes import NOTHING, parse_includes
from shared.eventlog.privacy import MasterKey
from shared.http.access import identity_of
from shared.http.answers import raw_json_answer
from shared.http.middleware import request_id_of
from shared.http.requests.addresses import base_url
from shared.http.requests.checked import query_of

POSITION = istr("Seatledger-Position")
IDEMPOTENCY_KEY = istr("Idempotency-Key")
_OWN_HEADERS = tuple(
    istr(name)
    for name in (
        "Timekit-Timezone",
        *("Timekit-InputTimestampFormat", "InputTimestampFormat"),
        *("Timekit-OutputTimestampFormat", "OutputTimestampFormat"),
    )
)


def context_of(request: web.Request, body: bytes, master: MasterKey) -> CallContext:
    """Who calls; with an Idempotency-Key the request can be recognised."""
    identity = identity_of(request)
    key, is_public = request.headers.get(IDEMPOTENCY_KEY), identity.is_public
    command_id = command_id_of(identity.app_id, key, is_public)
    hashed = b""
    if command_id is not None:
        line = f"{request.method} {request.path_qs}\n".encode("utf-8", "surrogateescape")
        hashed = master.keyed_hash("request", line + body)
    return CallContext(
        app_id=identity.app_id,
        time_zone=identity.time_zone,
        metadata={"actor": f"key:{identity.key_id}", "request_id": request_id_of(request)},
        command_id=command_id,
        request_hash=hashed,
        caller_left=None if request.transport is None else request.transport.is_closing,
        shows_others="include" in query_of(request),
        is_public=is_public,
        former_id=command_id_of(identity.app_id, key) if is_public else None,
    )


def options_of(request: web.Request) -> ResponseOptions:
    """What the answer shows, and in which zone; NotForPublicKeys beyond what a public key may see
    of the booking that it makes."""
    identity = identity_of(request)
    if _asks_for_nothing(request):
        return _plain(identity.time_zone, identity.is_public)[0]
    query = query_of(request)
    includes = parse_includes(query.get("include"))
    if identity.is_public:
        check_own_includes(includes)
    zone = find_zone(identity.time_zone) or UTC_ZONE
    rendering = rendering_of(request.headers, query, zone, identity.is_public)
    return ResponseOptions(includes, rendering, base_url(request))


def circumstances_of(request: web.Request, context: CallContext, now: datetime) -> Circumstances:
    """What the body is read in the light of."""
    if _asks_for_nothing(request):
        reading = _plain(context.time_zone, context.is_public)[1]
        return Circumstances(now, context.time_zone, reading, context.is_public)
    zone = find_zone(context.time_zone) or UTC_ZONE
    reading = reading_of(request.headers, query_of(request), zone)
    return Circumstances(now, context.time_zone, reading, context.is_public)


def _asks_for_nothing(request: web.Request) -> bool:
    """Neither a query nor one of the headers that say how moments are written."""
    headers = request.headers
    return not request.query_string and not any(name in headers for name in _OWN_HEADERS)


@lru_cache(maxsize=1024)
def _plain(time_zone: str, is_public: bool) -> tuple[ResponseOptions, Reading]:
    zone = find_zone(time_zone) or UTC_ZONE
    return ResponseOptions(NOTHING, Rendering(zone, is_public=is_public)), Reading(zone)


def answer_of(reply: Reply) -> web.Response:
    """The reply as an HTTP answer, with the log's position where it is about an event."""
    position: dict[str, str] = {} if reply.position is None else {POSITION: str(reply.position)}
    if reply.status == 204:
        return web.Response(status=204, headers=position)
    return raw_json_answer(reply.body, reply.status, position)
