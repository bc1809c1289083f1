"""The log read once for several loops of one process: the second gets what the first has read.

Positions are dense, so what is remembered is a stretch of the log without a gap.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Protocol

import asyncpg

from shared.eventlog.follower import BATCH, read_log
from shared.eventlog.record import StoredRecord
from shared.eventlog.wakeup import Wakeup

KEPT = 4000
"""Events remembered: one to two kilobytes each."""
REST_SECONDS = 0.01
"""Between two looks at the log, so that a sale's commits are read together; not after a rest."""


class Log(Protocol):
    """Whoever gives the log's events in order."""

    def follow(self, after: int) -> AsyncIterator[list[StoredRecord]]:
        """Non-empty batches of the events with position > `after`, for ever."""


class SharedTail:
    """A Log that remembers the newest events that any of its readers has seen."""

    def __init__(
        self,
        pool: asyncpg.Pool[asyncpg.Record],
        wakeup: Wakeup,
        batch: int = BATCH,
        kept: int = KEPT,
    ) -> None:
        self._pool = pool
        self._wakeup = wakeup
        self._batch = batch
        self._kept = kept
        self._recent: list[StoredRecord] = []
        self._turn = asyncio.Lock()
        self._rested_at = 0.0

    async def follow(self, after: int) -> AsyncIterator[list[StoredRecord]]:
        """Non-empty batches of the events with position > `after`, for ever."""
        while True:
            news = self._wakeup.token()
            batch = await self._next(after)
            if batch:
                yield batch
                after = batch[-1].position
            else:
                await self._wakeup.wait(news)

    async def _next(self, after: int) -> list[StoredRecord]:
        if known := self._known(after):
            return known
        async with self._turn:
            if known := self._known(after):
                return known
            await self._rest()
            batch = await read_log(self._pool, after, self._batch)
            self._remember(after, batch)
            return batch

    async def _rest(self) -> None:
        loop = asyncio.get_running_loop()
        rest = self._rested_at - loop.time()
        if rest > 0:
            await asyncio.sleep(rest)
        self._rested_at = loop.time() + REST_SECONDS

    def _known(self, after: int) -> list[StoredRecord]:
        if not self._recent:
            return []
        begin = after + 1 - self._recent[0].position
        return self._recent[begin : begin + self._batch] if begin >= 0 else []

    def _remember(self, after: int, batch: list[StoredRecord]) -> None:
        if not batch or batch[-1].position != after + len(batch):
            return
        last = self._recent[-1].position if self._recent else 0
        if after == last:
            self._recent += batch
        elif batch[-1].position > last:
            self._recent = list(batch)
        if len(self._recent) > self._kept:
            del self._recent[: -self._kept // 2]
