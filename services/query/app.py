"""Puts the query service together: fresh reads, routes and loops; starts and stops them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from aiohttp import web

from services.docs.routes import documentation_routes
from services.query.http.bookings import SingleBookings
from services.query.http.exports import GroupFiles
from services.query.http.feed import EventFeed
from services.query.http.history import GroupHistory
from services.query.http.lists.lists import BookingLists
from services.query.http.projects import ProjectReads
from services.query.http.refusals import RefusalReads
from services.query.metrics import ledger_figures, publishing
from services.query.projection.schema import prepare, session_settings
from services.query.reads.feed import Feed
from services.query.reads.fresh_reads import FreshReads
from services.query.reads.included import IncludedReader
from services.query.reads.live_feed import LiveFeed
from services.query.reads.streams import Streams
from services.query.webhooks.http import WebhookRoutes
from services.query.webhooks.metrics import webhook_figures
from shared.accounts.keyring import KeyRing
from shared.accounts.postgres import PostgresKeySource
from shared.accounts.projects import PostgresProjects
from shared.eventlog.privacy import MasterKey
from shared.http.exposition import Reading
from shared.http.health import Check
from shared.runtime.metrics import watch_pool
from shared.runtime.postgres import BoundedPool, Pool

POOL_SIZE = 6
STREAMS_SIZE = 8
MAX_LAG = 50_000


@dataclass(frozen=True, slots=True)
class QueryService:
    """The query service in a running process: its routes and what its health depends on."""

    routes: Sequence[web.RouteDef]
    checks: Sequence[Check]
    reads: FreshReads
    readings: Sequence[Reading]


@asynccontextmanager
async def query_service(
    dsn: str, master: MasterKey, pool_size: int = POOL_SIZE, neutral_refusals: bool = False
) -> AsyncIterator[QueryService]:
    """Runs inside the block, beside whatever else serves on the same port."""
    await prepare(dsn)
    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(_pool(dsn, pool_size))
        slow = await stack.enter_async_context(_pool(dsn, STREAMS_SIZE))
        streams = Streams(slow, STREAMS_SIZE)
        watch_pool("query", pool)
        watch_pool("streams", slow)
        reads = FreshReads(dsn, master)
        stack.push_async_callback(reads.close)
        projects = PostgresProjects(pool, master)
        ring = KeyRing(PostgresKeySource(pool, master), master)
        included = IncludedReader(pool, projects, ring)
        feed = Feed(pool)
        live = LiveFeed(pool, dsn, feed)
        stack.push_async_callback(live.close)
        routes = [
            *GroupFiles(reads, streams).routes(),
            *GroupHistory(reads, pool).routes(),
            *EventFeed(reads, feed, live).routes(),
            *RefusalReads(reads, pool, neutral_refusals).routes(),
            *BookingLists(reads, pool, streams, included).routes(),
            *SingleBookings(reads, pool, streams, included, master).routes(),
            *ProjectReads(projects).routes(),
            *WebhookRoutes(pool, master).routes(),
            *documentation_routes(),
        ]
        checks = [
            Check("projection", _projecting(reads)),
            Check("publishing", publishing(pool), is_needed=False),
        ]
        yield QueryService(routes, checks, reads, [ledger_figures(pool), webhook_figures(pool)])


@asynccontextmanager
async def _pool(dsn: str, size: int) -> AsyncIterator[Pool]:
    """Plans are made for the values: what a list asks for differs from one to the next."""
    pool = await BoundedPool(
        dsn,
        size,
        server_settings={**session_settings(), "plan_cache_mode": "force_custom_plan"},
    )
    try:
        yield pool
    finally:
        pool.terminate()


def _projecting(reads: FreshReads) -> Callable[[], Awaitable[str | None]]:
    async def projecting() -> str | None:
        now = await reads.positions()
        lag = now.head - now.projected
        return f"{lag} events behind the log" if lag > MAX_LAG else None

    return projecting
