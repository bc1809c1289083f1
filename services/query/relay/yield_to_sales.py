"""Pauses publishing while a sale is on, for up to `PATIENCE_SECONDS`, so that bookings go first.

A sale is on while the log grows faster than it is published, and fast. Nothing is skipped: when it
is over, or the patience is, publishing goes on where it was.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

SALE_EVENTS_PER_SECOND = 1_000.0
PATIENCE_SECONDS = 15.0
LOOK_SECONDS = 0.1


class YieldToSales:
    """Asked before each stretch of the log; `head` says how far the log is.

    Once its patience is over it stays so until publishing has caught up.
    """

    def __init__(
        self,
        head: Callable[[], Awaitable[int]],
        patience_seconds: float = PATIENCE_SECONDS,
        look_seconds: float = LOOK_SECONDS,
    ) -> None:
        self._head = head
        self._patience_seconds = patience_seconds
        self._look_seconds = look_seconds
        self._behind_since: float | None = None

    async def wait(self, is_behind: bool) -> None:
        """Returns at once unless a sale is on; `is_behind`: more waited than was read at once."""
        if not is_behind:
            self._behind_since = None
            return
        if self._behind_since is None:
            self._behind_since = time.monotonic()
        while self._is_patient() and await self._is_sale():
            pass

    def _is_patient(self) -> bool:
        assert self._behind_since is not None
        return time.monotonic() - self._behind_since < self._patience_seconds

    async def _is_sale(self) -> bool:
        before, began_at = await self._head(), time.monotonic()
        await asyncio.sleep(self._look_seconds)
        grown = await self._head() - before
        return grown > SALE_EVENTS_PER_SECOND * (time.monotonic() - began_at)
