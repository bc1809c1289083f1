"""A served application on a loopback port, with a key ring that knows three keys."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import aiohttp
from aiohttp import web

from shared.accounts.keyring import FoundKey, KeyRing
from shared.accounts.keys import Identity, SigningKey, hash_key
from shared.accounts.postgres import AccountsUnavailable
from shared.booking_api.errors import NotFound
from shared.eventlog.privacy import MasterKey
from shared.http.access import for_everyone, for_widgets, identity_of
from shared.http.answers import json_answer
from shared.http.middleware import new_application, read_body
from shared.http.requests.addresses import Addresses
from shared.http.server import listen, serving

MASTER = MasterKey(bytes(range(32)))
LIMIT = 1000
KEYS = {
    "live": Identity(uuid4(), uuid4(), "server", False, "UTC", "doc"),
    "test": Identity(uuid4(), uuid4(), "server", True, "UTC", "demo"),
    "widget": Identity(uuid4(), uuid4(), "widget", False, "UTC", "doc"),
}


class KnownKeys:
    """The keys above; and "broken", which the database is too ill to know."""

    async def identify(self, key_hashes: Sequence[bytes]) -> Mapping[bytes, FoundKey]:
        if hash_key(MASTER, "broken") in key_hashes:
            raise AccountsUnavailable
        known = {hash_key(MASTER, text): identity for text, identity in KEYS.items()}
        return {h: FoundKey(h, known[h], None) for h in key_hashes if h in known}

    async def signing_keys(self, app_id: UUID) -> tuple[SigningKey, ...]:
        return ()


async def whoami(request: web.Request) -> web.Response:
    return json_answer({"app": identity_of(request).app_slug})


async def echo(request: web.Request) -> web.Response:
    return json_answer({"bytes": len(await read_body(request))})


@for_widgets
async def groups(request: web.Request) -> web.Response:
    return json_answer({"key": identity_of(request).kind})


@for_everyone
async def link(request: web.Request) -> web.Response:
    raise web.HTTPFound("https://example.org/thanks")


@for_everyone
async def crash(request: web.Request) -> web.Response:
    raise ZeroDivisionError("marty.mcfly@example.org divided by zero")


@for_everyone
async def missing(request: web.Request) -> web.Response:
    raise NotFound


@for_everyone
async def broken_stream(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    await response.write(b"half")
    raise ZeroDivisionError


ROUTES = (
    web.get("/whoami", whoami),
    web.post("/echo", echo),
    web.get("/groups/{id}", groups),
    web.get("/link", link),
    web.get("/crash", crash),
    web.get("/missing", missing),
    web.get("/stream", broken_stream),
)


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    raw: bytes

    @property
    def body(self) -> Any:
        assert self.headers["Content-Type"] == "application/json"
        return json.loads(self.raw)


def basic(raw: bytes) -> str:
    return "Basic " + base64.b64encode(raw).decode()


class Caller:
    """Calls the door; `key` is sent as HTTP Basic password."""

    def __init__(self, session: aiohttp.ClientSession, base: str) -> None:
        self.session = session
        self.base = base

    async def __call__(
        self,
        method: str,
        path: str,
        key: str | None = None,
        user: str = "",
        body: bytes | None = None,
        **headers: str | None,
    ) -> Answer:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if key is not None:
            named["Authorization"] = basic(f"{user}:{key}".encode())
        return await self.with_headers(method, path, named, body)

    async def with_headers(
        self, method: str, path: str, headers: Mapping[str, str | None], body: bytes | None = None
    ) -> Answer:
        async with self.session.request(
            method,
            self.base + path,
            data=io.BytesIO(body) if body is not None else None,
            headers={name: value for name, value in headers.items() if value is not None},
            allow_redirects=False,
        ) as response:
            return Answer(response.status, response.headers, await response.read())


@asynccontextmanager
async def open_door(
    addresses: Addresses | None = None, routes: Sequence[web.RouteDef] = ROUTES
) -> AsyncIterator[Caller]:
    """A served application with the routes above."""
    ring = KeyRing(KnownKeys(), MASTER)
    app = new_application(ring, max_body_bytes=LIMIT, addresses=addresses)
    app.add_routes(routes)
    listener = listen("127.0.0.1", 0)
    port = listener.getsockname()[1]
    async with serving(app, listener), aiohttp.ClientSession() as session:
        yield Caller(session, f"http://127.0.0.1:{port}")
