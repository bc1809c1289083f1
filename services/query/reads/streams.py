"""Connections for streamed answers: each holds a snapshot, and an app has at most its share.

They are held for as long as their readers take, so whoever holds its share waits for a place of its
own, with a few others of its app, and nobody else waits for it (decision 0041).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from uuid import UUID

from services.query.reads.related_seats import snapshot
from shared.http.bounds.shares import Shares
from shared.runtime.postgres import ACQUIRE_SECONDS, Connection, Pool

STREAM_SECONDS = 60.0
"""For one answer, from its place to its end."""
MAX_WAITING = 64


class Streams:
    """A bounded number of snapshots, shared out among apps."""

    def __init__(self, pool: Pool, size: int) -> None:
        self._pool = pool
        self._places = Shares(size, "streams")
        self._waiting = Shares(MAX_WAITING, "waiting streams")
        self._news = asyncio.Condition()

    @asynccontextmanager
    async def snapshot(self, app_id: UUID) -> AsyncGenerator[Connection, None]:
        """A snapshot for the app: TooManyRequests when too many of it wait, TimeoutError when none
        comes in time or what is sent from it takes too long."""
        await self._take(app_id)
        try:
            async with asyncio.timeout(STREAM_SECONDS), snapshot(self._pool) as connection:
                yield connection
        finally:
            await self._leave(app_id)

    async def _take(self, app_id: UUID) -> None:
        if self._places.try_take(app_id):
            return
        with self._waiting.place(app_id):
            async with asyncio.timeout(ACQUIRE_SECONDS), self._news:
                await self._news.wait_for(lambda: self._places.try_take(app_id))

    async def _leave(self, app_id: UUID) -> None:
        self._places.leave(app_id)
        async with self._news:
            self._news.notify_all()
