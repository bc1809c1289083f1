"""Fixtures of the query side: a log to fill, and a projector that projects it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import asyncpg
import pytest_asyncio

from services.query.projection import prepare, session_settings, sql
from services.query.projector import Projector
from shared.eventlog.postgres import PostgresEventStore
from tests.integration.query.scenario import MASTER, Scenario

Until = Callable[[int], Awaitable[None]]
PROJECTED_SECONDS = 20


@pytest_asyncio.fixture
async def pool(database_url: str) -> AsyncIterator[asyncpg.Pool[asyncpg.Record]]:
    """Connections that see the read models."""
    await prepare(database_url)
    pool = await asyncpg.create_pool(
        database_url, min_size=1, max_size=5, server_settings=session_settings()
    )
    yield pool
    await pool.close()


@pytest_asyncio.fixture
async def scenario(
    database_url: str, pool: asyncpg.Pool[asyncpg.Record]
) -> AsyncIterator[Scenario]:
    """A log to fill."""
    store = PostgresEventStore(pool, database_url)
    yield Scenario(store)
    await store.close()


@pytest_asyncio.fixture
async def projector(database_url: str) -> AsyncIterator[Projector]:
    """A running projector."""
    projector = Projector(database_url, MASTER)
    running = asyncio.create_task(projector.run())
    yield projector
    projector.stop()
    await asyncio.wait_for(running, 10)


@pytest_asyncio.fixture
async def projected(projector: Projector, pool: asyncpg.Pool[asyncpg.Record]) -> Until:
    """Waits until everything up to a position is projected, by a running projector."""

    async def until(position: int) -> None:
        async with asyncio.timeout(PROJECTED_SECONDS):
            while (await pool.fetchrow(sql("checkpoint_read")))["position"] < position:
                await asyncio.sleep(0.005)

    return until
