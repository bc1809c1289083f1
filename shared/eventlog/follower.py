"""Catch-up subscription to the event log: every event after a checkpoint, in commit order.

Positions are dense and become visible in order (decision 0002), so `position > checkpoint` is all
there is to it: no gap to wait for, no snapshot to compare.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import asyncpg

from shared.eventlog.record import StoredRecord
from shared.eventlog.statements import statement
from shared.eventlog.throttle import Rest
from shared.eventlog.wakeup import Wakeup
from shared.runtime.postgres import Executor


class Positioned(Protocol):
    """An event of the log, in whatever shape its follower needs it."""

    @property
    def position(self) -> int: ...


E = TypeVar("E", bound=Positioned)
Read = Callable[[int, int], Awaitable[list[E]]]
"""At most so many (second) of the events after a position (first), in order."""


@dataclass(frozen=True, slots=True)
class BatchPolicy:
    """How much a follower reads at a time, and how often it looks.

    Near the head at most `size` events, at least `rest_seconds` apart. Behind it each batch is
    twice as large as the last, up to `times` live ones, without a rest.
    """

    size: int = 500
    times: int = 1
    rest_seconds: float = 0.0


class Follower(Generic[E]):
    """Reads batches as its policy says; at the head it waits for news."""

    def __init__(
        self, read: Read[E], wakeup: Wakeup | None = None, policy: BatchPolicy | None = None
    ) -> None:
        self._read = read
        self._wakeup = wakeup
        self._policy = policy or BatchPolicy()

    async def follow(self, after: int, until: int | None = None) -> AsyncGenerator[list[E], None]:
        """Non-empty batches of the events with position > `after`: up to `until`, or for ever.

        Without a wakeup it ends where the log ends.
        """
        policy, limit, is_behind = self._policy, self._policy.size, False
        rest = Rest(policy.rest_seconds)
        while until is None or after < until:
            if not is_behind:
                await rest.take()
            news = None if self._wakeup is None else self._wakeup.token()
            batch = await self._read(after, limit if until is None else min(limit, until - after))
            if batch:
                yield batch
                after = batch[-1].position
            elif self._wakeup is None or news is None:
                return
            else:
                await self._wakeup.wait(news)
            is_behind = len(batch) == limit
            limit = min(2 * limit, policy.times * policy.size) if is_behind else policy.size


async def read_log(
    source: Executor,
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
