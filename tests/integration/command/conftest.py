"""A pool, and a way to hold up every append for a while: by the lock that each of them needs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest_asyncio


@pytest_asyncio.fixture
async def pool(database_url: str) -> AsyncIterator[asyncpg.Pool[asyncpg.Record]]:
    async with asyncpg.create_pool(database_url, min_size=2, max_size=6) as pool:
        yield pool


class HeldHead:
    """Appends wait while it is held; `waits` returns once one of them does."""

    def __init__(self, pool: asyncpg.Pool[asyncpg.Record]) -> None:
        self._pool = pool

    async def waits(self) -> None:
        async with asyncio.timeout(10):
            while not await self._pool.fetchval(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                " AND wait_event_type = 'Lock'"
            ):
                pass


@asynccontextmanager
async def held_head(pool: asyncpg.Pool[asyncpg.Record]) -> AsyncIterator[HeldHead]:
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("SELECT 1 FROM log_head FOR UPDATE")
        yield HeldHead(pool)
