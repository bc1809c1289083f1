"""The query service over HTTP, with a key of its own app and one of another's."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg
from aiohttp import ClientResponse, ClientSession, encode_basic_auth

from services.query.app import QueryService, query_service
from shared.accounts.keyring import KeyRing
from shared.accounts.postgres import PostgresAccounts, PostgresKeySource
from shared.http.bounds.pressure import Pressure
from shared.http.fast_lane.connection import repeat_requests
from shared.http.middleware import new_application
from shared.http.server import listen, serving
from shared.runtime.postgres import Pool
from tests.integration.query.scenario import MASTER

KEY = "test_api_key_ours"
FOREIGN_KEY = "test_api_key_theirs"


@dataclass(frozen=True, slots=True)
class Got:
    """An answer, read."""

    status: int
    body: Any
    headers: dict[str, str]


class Api:
    """GETs as a caller makes them."""

    def __init__(
        self,
        client: ClientSession,
        url: str,
        app_id: UUID,
        service: QueryService,
        pressure: Pressure,
    ) -> None:
        self._client = client
        self._pressure = pressure
        self.url = url
        """Where it serves."""
        self.app_id = app_id
        self.service = service

    def stop(self) -> None:
        """Say that the process is about to end."""
        self._pressure.is_closing = True

    async def get(self, path: str, key: str = KEY, **headers: str) -> Got:
        """GET `path` below /v2; a header's underscores stand for hyphens."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        sent["Authorization"] = encode_basic_auth("", key)
        async with self._client.get(f"/v2{path}", headers=sent) as answer:
            return Got(answer.status, await answer.json(), dict(answer.headers))

    async def send(self, method: str, path: str, body: Any, key: str = KEY) -> Got:
        """A request below /v2 with a JSON body."""
        auth = {"Authorization": encode_basic_auth("", key)}
        async with self._client.request(method, f"/v2{path}", json=body, headers=auth) as answer:
            read = await answer.json() if await answer.read() else None
            return Got(answer.status, read, dict(answer.headers))

    @asynccontextmanager
    async def stream(
        self, path: str, key: str = KEY, **headers: str
    ) -> AsyncIterator[ClientResponse]:
        """A live stream below /v2."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        sent["Authorization"] = encode_basic_auth("", key)
        sent["Accept"] = "text/event-stream"
        async with self._client.get(f"/v2{path}", headers=sent) as answer:
            yield answer

    async def head(self, path: str) -> tuple[int, dict[str, str], bytes]:
        """HEAD `path` below /v2."""
        auth = {"Authorization": encode_basic_auth("", KEY)}
        async with self._client.head(f"/v2{path}", headers=auth) as answer:
            return answer.status, dict(answer.headers), await answer.read()


@asynccontextmanager
async def running_api(dsn: str, pool: Pool) -> AsyncIterator[Api]:
    """The query service, serving."""
    accounts = PostgresAccounts(pool)
    ours = await accounts.create_app("Ours", "ours", "UTC", is_test=True)
    theirs = await accounts.create_app("Theirs", "theirs", "UTC", is_test=True)
    await accounts.create_key(MASTER, ours, "server", text=KEY)
    await accounts.create_key(MASTER, theirs, "server", text=FOREIGN_KEY)
    async with _served(dsn, pool, ours.app_id) as api:
        yield api


@asynccontextmanager
async def second_api(dsn: str, first: Api) -> AsyncIterator[Api]:
    """Another process's worth of the query service, with the same keys."""
    async with (
        asyncpg.create_pool(dsn, min_size=1, max_size=2) as pool,
        _served(dsn, pool, first.app_id) as api,
    ):
        yield api


@asynccontextmanager
async def _served(dsn: str, pool: Pool, app_id: UUID) -> AsyncIterator[Api]:
    async with query_service(dsn, MASTER) as service:
        ring, pressure = KeyRing(PostgresKeySource(pool, MASTER), MASTER), Pressure()
        app = new_application(ring, pressure=pressure)
        app.add_routes(service.routes)
        repeat_requests(app, ring)
        listener = listen("127.0.0.1", 0)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        async with serving(app, listener), ClientSession(url) as client:
            yield Api(client, url, app_id, service, pressure)
