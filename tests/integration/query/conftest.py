"""Fixtures of the query side: a log to fill, and a projector that projects it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress

import asyncpg
import pytest_asyncio

from services.query.projection.projector import Projector
from services.query.projection.schema import prepare, session_settings
from services.query.reads.fresh_reads import FreshReads
from shared.booking_api.errors import NotFreshYet
from shared.eventlog.postgres import PostgresEventStore
from shared.runtime.postgres import Pool
from tests.integration.query.api import Api, running_api
from tests.integration.query.scenario import MASTER, Scenario

PROJECTED_SECONDS = 60
Until = Callable[[int], Awaitable[None]]


@pytest_asyncio.fixture
async def pool(database_url: str) -> AsyncIterator[Pool]:
    """Connections that see the read models."""
    await prepare(database_url)
    pool = await asyncpg.create_pool(
        database_url, min_size=1, max_size=5, server_settings=session_settings()
    )
    yield pool
    await pool.close()


@pytest_asyncio.fixture
async def scenario(database_url: str, pool: Pool) -> AsyncIterator[Scenario]:
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
async def reads(database_url: str, pool: Pool) -> AsyncIterator[FreshReads]:
    """Fresh reads, with or without a projector."""
    reads = FreshReads(database_url, MASTER)
    yield reads
    await reads.close()


@pytest_asyncio.fixture
async def projected(projector: Projector, reads: FreshReads) -> Until:
    """Waits until everything up to a position is projected, by a running projector."""

    async def until(position: int) -> None:
        await wait_until_projected(reads, position)

    return until


async def wait_until_projected(reads: FreshReads, position: int) -> None:
    """As `until_projected`, with the patience that a loaded machine needs."""
    async with asyncio.timeout(PROJECTED_SECONDS):
        while True:
            with suppress(NotFreshYet):
                await reads.until_projected(position)
                return


@pytest_asyncio.fixture
async def api(database_url: str, pool: Pool) -> AsyncIterator[Api]:
    """The query service over HTTP."""
    async with running_api(database_url, pool) as api:
        yield api
