"""Both services in this process, with pools of one connection that can be taken away from them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from aiohttp import ClientSession, encode_basic_auth, web

import services.query.app
import services.query.reads.streams
import shared.runtime.postgres
from services.command.app import command_service
from services.query.app import query_service
from shared.accounts.keyring import KeyRing
from shared.accounts.postgres import PostgresAccounts, PostgresKeySource
from shared.http.middleware import new_application
from shared.http.server import listen, serving
from shared.runtime.postgres import BoundedPool, Pool, pool_of
from tests.integration.query.scenario import MASTER

KEY = "test_api_key_full"
POOLED_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Narrow:
    """The services, and every pool that a request of theirs may wait for."""

    client: ClientSession
    pools: Sequence[Pool]
    routes: Sequence[web.RouteDef]

    @asynccontextmanager
    async def taken(self) -> AsyncIterator[None]:
        """Inside the block no pool has a connection to give."""
        async with AsyncExitStack() as stack:
            for pool in self.pools:
                for _ in range(pool.get_max_size()):
                    await stack.enter_async_context(pool.acquire(timeout=10))
            yield

    async def ask(self, method: str, path: str, **more: Any) -> tuple[int, str | None, str | None]:
        """Status, code and Retry-After of the answer."""
        async with self.client.request(method, path, **more) as answer:
            is_json = answer.content_type == "application/json" and method != "HEAD"
            body = await answer.json() if is_json else {}
            return answer.status, body.get("code"), answer.headers.get("Retry-After")


@asynccontextmanager
async def narrow(dsn: str, patch: pytest.MonkeyPatch) -> AsyncIterator[Narrow]:
    """Serving inside the block; who waits for a connection gives up soon."""
    pools: list[Pool] = []

    class Kept(BoundedPool):
        """One that this test can get at."""

        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            pools.append(self)

    patch.setattr(services.query.app, "BoundedPool", Kept)
    patch.setattr(services.query.app, "STREAMS_SIZE", 1)
    for module in (shared.runtime.postgres, services.query.reads.streams):
        patch.setattr(module, "ACQUIRE_SECONDS", POOLED_SECONDS)
    async with AsyncExitStack() as stack:
        keys = await stack.enter_async_context(pool_of(dsn, 2))
        accounts = PostgresAccounts(keys)
        app = await accounts.create_app("Full", "full", "UTC", is_test=True)
        await accounts.create_key(MASTER, app, "server", text=KEY)
        ring = KeyRing(PostgresKeySource(keys, MASTER), MASTER)
        pool = await stack.enter_async_context(pool_of(dsn, 1))
        command = await stack.enter_async_context(command_service(pool, dsn, MASTER, ring))
        query = await stack.enter_async_context(query_service(dsn, MASTER, pool_size=1))
        routes = sorted([*command.routes, *query.routes], key=lambda one: "{" in one.path)
        web_app = new_application(ring)
        web_app.add_routes(routes)
        listener = listen("127.0.0.1", 0)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        headers = {"Authorization": encode_basic_auth("", KEY)}
        await stack.enter_async_context(serving(web_app, listener, drain_seconds=1.0))
        client = await stack.enter_async_context(ClientSession(url, headers=headers))
        yield Narrow(client, [*pools, pool], routes)
