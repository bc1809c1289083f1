"""Puts the query service together: fresh reads, routes and loops; starts and stops them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg
from aiohttp import web

from services.query.freshness import FreshReads
from services.query.http import SingleBookings
from services.query.lists import BookingLists
from services.query.projection import prepare, session_settings
from shared.eventlog.privacy import MasterKey
from shared.http.health import Check

POOL_SIZE = 8
STATEMENT_SECONDS = 10.0
MAX_LAG = 50_000


@dataclass(frozen=True, slots=True)
class QueryService:
    """The query service in a running process: its routes and what its health depends on."""

    routes: Sequence[web.RouteDef]
    checks: Sequence[Check]
    reads: FreshReads


@asynccontextmanager
async def query_service(dsn: str, master: MasterKey) -> AsyncIterator[QueryService]:
    """Runs inside the block, beside whatever else serves on the same port."""
    await prepare(dsn)
    pool = await asyncpg.create_pool(
        dsn,
        min_size=1,
        max_size=POOL_SIZE,
        command_timeout=STATEMENT_SECONDS,
        server_settings={**session_settings(), "plan_cache_mode": "force_custom_plan"},
    )
    reads = FreshReads(dsn, master)
    try:
        routes = [*BookingLists(reads, pool).routes(), *SingleBookings(reads, pool).routes()]
        yield QueryService(routes, [Check("projection", _projecting(reads))], reads)
    finally:
        await reads.close()
        pool.terminate()


def _projecting(reads: FreshReads) -> Callable[[], Awaitable[str | None]]:
    async def projecting() -> str | None:
        now = await reads.positions()
        lag = now.head - now.projected
        return f"{lag} events behind the log" if lag > MAX_LAG else None

    return projecting
