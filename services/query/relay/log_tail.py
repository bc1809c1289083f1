"""A cache of the log's newest events: the followers of one process read each of them once.

Positions are dense, so what is remembered is a stretch of the log without a gap.
"""

from __future__ import annotations

import asyncio

from services.query.relay.yield_to_sales import YieldToSales
from shared.eventlog.follower import read_log
from shared.eventlog.record import StoredRecord
from shared.eventlog.throttle import Rest
from shared.runtime.postgres import Pool

KEPT = 4000
"""Events remembered: one to two kilobytes each."""
BEHIND = 100
"""So many events at once have come while others were published."""
REST_SECONDS = 0.01
"""Between two looks at the log, so that a sale's commits are read together; not after a rest."""


class SharedTail:
    """Remembers the newest events that any of its readers has seen."""

    def __init__(
        self,
        pool: Pool,
        kept: int = KEPT,
        sales: YieldToSales | None = None,
    ) -> None:
        self._pool = pool
        self._kept = kept
        self._sales = sales
        self._is_behind = False
        self._recent: list[StoredRecord] = []
        self._turn = asyncio.Lock()
        self._rest = Rest(REST_SECONDS)

    async def read(self, after: int, limit: int) -> list[StoredRecord]:
        """At most `limit` of the events with position > `after`, in order."""
        if known := self._known(after, limit):
            return known
        async with self._turn:
            if known := self._known(after, limit):
                return known
            await self._rest.take()
            if self._sales is not None:
                await self._sales.wait(self._is_behind)
            batch = await read_log(self._pool, after, limit)
            self._is_behind = len(batch) >= BEHIND
            self._remember(after, batch)
            return batch

    def _known(self, after: int, limit: int) -> list[StoredRecord]:
        if not self._recent:
            return []
        begin = after + 1 - self._recent[0].position
        return self._recent[begin : begin + limit] if begin >= 0 else []

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
