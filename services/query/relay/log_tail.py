"""The log read once for several loops of one process: the second gets what the first has read.

Positions are dense, so what is remembered is a stretch of the log without a gap.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Protocol

import asyncpg

from services.query.relay.yield_to_sales import Deferral
from services.query.throttle import Rest
from shared.eventlog.follower import BATCH, read_log
from shared.eventlog.record import StoredRecord
from shared.eventlog.wakeup import Wakeup

KEPT = 4000
"""Events remembered: one to two kilobytes each."""
BEHIND = 100
"""So many events at once have come while others were published."""
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
        deferral: Deferral | None = None,
    ) -> None:
        self._pool = pool
        self._wakeup = wakeup
        self._batch = batch
        self._kept = kept
        self._deferral = deferral
        self._is_behind = False
        self._recent: list[StoredRecord] = []
        self._turn = asyncio.Lock()
        self._rest = Rest(REST_SECONDS)

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
            await self._rest.take()
            if self._deferral is not None:
                await self._deferral.wait(self._is_behind)
            batch = await read_log(self._pool, after, self._batch)
            self._is_behind = len(batch) >= BEHIND
            self._remember(after, batch)
            return batch

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
