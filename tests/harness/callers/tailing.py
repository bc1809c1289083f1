"""A reader that tails the log by `position > n` and nothing else, as any auditor could."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import asyncpg

SQL = """
SELECT notification_id, event_id
  FROM stored_events
 WHERE notification_id > $1
 ORDER BY notification_id
 LIMIT $2
"""
PATIENCE = 60.0
LOST = (
    OSError,
    TimeoutError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)


class TailingReader:
    """Remembers every event id that it saw, in order; it never looks back."""

    def __init__(self, dsn: str, batch: int = 100) -> None:
        self.dsn = dsn
        self.seen: list[UUID] = []
        self.position = 0
        self._batch = batch
        self._news = asyncio.Condition()

    async def run(self) -> None:
        """Reads on and on; a lost connection is opened again."""
        while True:
            try:
                await self._one_connection()
            except LOST:
                await asyncio.sleep(0.05)

    async def until(self, position: int) -> None:
        """Waits until it has come to `position`."""
        async with self._news:
            await asyncio.wait_for(self._news.wait_for(lambda: self.position >= position), PATIENCE)

    async def _one_connection(self) -> None:
        connection = await asyncpg.connect(self.dsn, timeout=5)
        try:
            while True:
                rows = await connection.fetch(SQL, self.position, self._batch, timeout=5)
                await self._take(rows)
                await asyncio.sleep(0 if rows else 0.002)
        finally:
            connection.terminate()

    async def _take(self, rows: list[asyncpg.Record]) -> None:
        async with self._news:
            for position, event_id in rows:
                self.position = position
                self.seen.append(event_id)
            self._news.notify_all()


@asynccontextmanager
async def tailing(dsn: str) -> AsyncIterator[TailingReader]:
    """A reader from the beginning of the log on, at work inside the block."""
    reader = TailingReader(dsn)
    task = asyncio.create_task(reader.run())
    try:
        yield reader
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
