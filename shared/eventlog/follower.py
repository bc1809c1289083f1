"""Tails the log: every event after a checkpoint, in commit order, none missed.

Positions are dense and become visible in order (decision 0002), so `position > checkpoint` is all
there is to it: no gap to wait for, no snapshot to compare.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence

import asyncpg

from shared.eventlog.record import StoredRecord
from shared.eventlog.statements import statement
from shared.eventlog.wakeup import Wakeup

BATCH = 500


class Follower:
    """Reads batches of at most `batch` events; at the head it waits for news."""

    def __init__(
        self, pool: asyncpg.Pool[asyncpg.Record], wakeup: Wakeup, batch: int = BATCH
    ) -> None:
        self._pool = pool
        self._wakeup = wakeup
        self._batch = batch

    async def follow(self, after: int) -> AsyncIterator[list[StoredRecord]]:
        """Non-empty batches of the events with position > `after`, for ever."""
        while True:
            news = self._wakeup.token()
            batch = await read_log(self._pool, after, self._batch)
            if batch:
                yield batch
                after = batch[-1].position
            else:
                await self._wakeup.wait(news)


async def read_log(
    source: asyncpg.Pool[asyncpg.Record] | asyncpg.Connection[asyncpg.Record],
    after: int,
    limit: int,
) -> list[StoredRecord]:
    """Up to `limit` events with position > `after`, in order."""
    return records(await source.fetch(statement("read_log"), after, limit))


def records(rows: Sequence[asyncpg.Record]) -> list[StoredRecord]:
    """Rows of `read_log` as records."""
    return [
        StoredRecord(
            row[0],
            row[1],
            row[2],
            row[3],
            row[4],
            row[5],
            row[6],
            json.loads(row[7]),
            row[8],
            row[9],
        )
        for row in rows
    ]
