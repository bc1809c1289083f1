"""Authorization: a handler is for server keys unless marked for widget keys or for everyone.

The key alone selects the app (contract section 1): HTTP Basic, any user name, the key as password.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Awaitable, Callable
from typing import Literal, TypeVar

from aiohttp import web

from shared.accounts.keyring import HeldKey, KeyRing
from shared.accounts.keys import Identity
from shared.booking_api.errors import Forbidden, Unauthorized
from shared.booking_api.public_keys.allow_list import check_parameters
from shared.booking_api.public_keys.refusals import DemoKeyElsewhere
from shared.http.requests.local_names import names_loopback_only

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
H = TypeVar("H", bound=Callable[..., Awaitable[web.StreamResponse]])
Reach = Literal["server", "widget", "everyone"]

RING = web.AppKey("key_ring", KeyRing)
IDENTITY = web.RequestKey("identity", Identity)
_REACH = "_seatledger_reach"


def for_widgets(handler: H) -> H:
    """Marks a handler that widget keys may call too, as a public page needs it."""
    setattr(handler, _REACH, "widget")
    return handler


def for_everyone(handler: H) -> H:
    """Marks a handler that needs no key: health, documentation, signed links."""
    setattr(handler, _REACH, "everyone")
    return handler


def reach_of(handler: object) -> Reach:
    """Whose keys the handler takes."""
    reach: Reach = getattr(handler, _REACH, "server")
    return reach


def identity_of(request: web.Request) -> Identity:
    """Whose request this is; only in handlers that need a key."""
    return request[IDENTITY]


def held_key_of(request: web.Request) -> HeldKey:
    """The request's key, to be asked after while its answer goes on."""
    key = key_in(request.headers.get("Authorization"))
    if key is None:
        raise Unauthorized
    return request.app[RING].held(key)


def refuse_widget_key(request: web.Request) -> None:
    """Forbidden for widget keys: for handlers whose body decides what the key must be."""
    if request[IDENTITY].is_public:
        raise Forbidden


async def admit(request: web.Request, ring: KeyRing) -> Identity | None:
    """Whose request this is; Unauthorized without a good key, Forbidden beyond the key's reach."""
    reach = reach_of(request.match_info.handler)
    if reach == "everyone":
        return None
    key = key_in(request.headers.get("Authorization"))
    identity = await ring.identify(key) if key else None
    if key is None or identity is None:
        raise Unauthorized
    if ring.is_published(key) and not names_loopback_only(request):
        raise DemoKeyElsewhere
    if identity.is_public:
        if reach == "server":
            raise Forbidden
        check_parameters(request.query)
    request[IDENTITY] = identity
    return identity


def key_in(authorization: str | None) -> str | None:
    """The password of an HTTP Basic header, or None when it is none."""
    if authorization is None or authorization[:6].lower() != "basic ":
        return None
    try:
        decoded = base64.b64decode(authorization[6:].strip(), validate=True).decode()
    except (binascii.Error, ValueError):
        return None
    _, colon, password = decoded.partition(":")
    return password if colon else None
