"""Records refused seat bookings: how many of each group, and what the newest of them asked for.

Behind every answer's back: what is noted waits in memory, bounded, the oldest dropped first, and is
written every PAUSE_SECONDS without waiting for the disk. A process that is killed takes along what
it noted since; a write that fails is not tried again, so that nothing is counted twice.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from services.command.rules.refusals import Refusal
from shared.eventlog.statements import statement
from shared.runtime.postgres import DATABASE_ERRORS, Pool

PAUSE_SECONDS = 0.5
WRITE_SECONDS = 2.0
MAX_TALLIES = 1_000
MAX_NEWEST = 100
"""Of one group and rule in one write, so that a flood on one group costs no more than that."""
_log = logging.getLogger(__name__)

Noted = tuple[Refusal, float]
"""With the moment, on the monotonic clock: the database's time is made of it when it is written."""


@dataclass(slots=True)
class Tally:
    """Refusals of one group by one rule, and the newest of them."""

    app_id: UUID
    first_at: float
    last_at: float = 0.0
    requests: int = 0
    seats: int = 0
    newest: deque[Noted] = field(default_factory=lambda: deque(maxlen=MAX_NEWEST))


Tallies = dict[tuple[UUID, str], Tally]
"""By group and rule."""


class RefusalRecorder:
    """Takes refusals from everywhere in a process; one task writes them."""

    def __init__(self, pool: Pool, now: Callable[[], datetime]) -> None:
        self._pool = pool
        self._now = now
        self._tallies: Tallies = {}
        self._work = asyncio.Event()
        self._closing = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def note(self, refusal: Refusal) -> None:
        """Remember it; costs less than a microsecond and never waits."""
        now = time.monotonic()
        alike = (refusal.group_id, refusal.code)
        tally = self._tallies.get(alike)
        if tally is None:
            tally = self._tallies[alike] = Tally(refusal.app_id, now)
            if len(self._tallies) > MAX_TALLIES:
                del self._tallies[next(iter(self._tallies))]
            self._work.set()
        tally.requests += 1
        tally.seats += refusal.seats
        tally.last_at = now
        tally.newest.append((refusal, now))

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="refusals")

    async def stop(self) -> None:
        """Writes what is left; call it once no request is under way any more."""
        self._closing.set()
        self._work.set()
        if self._task is not None:
            await asyncio.wait({self._task}, timeout=2 * WRITE_SECONDS)
            self._task.cancel()

    async def _run(self) -> None:
        while not self._closing.is_set() or self._tallies:
            await self._work.wait()
            self._work.clear()
            await self._write()
            await self._pause()

    async def _pause(self) -> None:
        try:
            async with asyncio.timeout(PAUSE_SECONDS):
                await self._closing.wait()
        except TimeoutError:
            return

    async def _write(self) -> None:
        tallies, self._tallies = self._tallies, {}
        if not tallies:
            return
        try:
            await self._store(tallies)
        except DATABASE_ERRORS as error:
            lost = sum(tally.requests for tally in tallies.values())
            _log.warning("%d refusals were not recorded: %s", lost, type(error).__name__)

    async def _store(self, tallies: Tallies) -> None:
        began = self._now() - timedelta(seconds=time.monotonic())
        values = [*_columns(_counts(tallies, began), 8), *_columns(_records(tallies, began), 9)]
        text = statement("record_refusals", "services.command")
        async with (
            self._pool.acquire(timeout=WRITE_SECONDS) as connection,
            connection.transaction(),
        ):
            await connection.execute("SET LOCAL synchronous_commit TO off")
            await connection.execute(text, *values, timeout=WRITE_SECONDS)


def _counts(tallies: Tallies, began: datetime) -> Iterable[tuple[Any, ...]]:
    for (group_id, code), tally in tallies.items():
        yield (
            *(group_id, code, tally.app_id, tally.requests, tally.seats),
            *(_at(began, tally.first_at), _at(began, tally.last_at), len(tally.newest)),
        )


def _records(tallies: Tallies, began: datetime) -> Iterable[tuple[Any, ...]]:
    for (group_id, code), tally in tallies.items():
        for later, (one, moment) in enumerate(reversed(tally.newest)):
            yield (
                *(group_id, code, later, one.booking_id, one.graph),
                *(one.seats, one.seats_free, one.version, _at(began, moment)),
            )


def _at(began: datetime, moment: float) -> datetime:
    return began + timedelta(seconds=moment)


def _columns(rows: Iterable[Sequence[Any]], width: int) -> list[list[Any]]:
    """The rows' columns, `width` of them even of no rows."""
    columns: list[list[Any]] = [[] for _ in range(width)]
    for row in rows:
        for column, value in zip(columns, row, strict=True):
            column.append(value)
    return columns
