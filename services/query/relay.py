"""The log is the outbox: every event reaches the broker, at least once, in its group's order.

One relay is elected over all processes. Its checkpoint moves only behind confirms, and only under
its own epoch; whatever fails, it goes on from there. Without a broker it keeps trying, quietly.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random

import asyncpg

from services.query.relay_parked import ParkedMessages
from services.query.relay_progress import Progress
from services.query.relay_session import Session, first_cause
from shared.eventlog.election import Election, Term, TermLost
from shared.eventlog.follower import Follower
from shared.messaging.rabbitmq import Broker, ContentRefused

NAME = "relay"
WINDOW = 256
DRAIN_SECONDS = 5.0
SHORTEST_PAUSE = 0.1
LONGEST_PAUSE = 5.0
_log = logging.getLogger(__name__)


class Relay:
    """`run()` until `stop()`; safe to run in every process."""

    def __init__(
        self,
        pool: asyncpg.Pool[asyncpg.Record],
        follower: Follower,
        broker: Broker,
        dsn: str,
        window: int = WINDOW,
    ) -> None:
        self._pool = pool
        self._follower = follower
        self._broker = broker
        self._window = window
        self._election = Election(dsn, NAME, DRAIN_SECONDS)

    async def run(self) -> None:
        """Stand for election and publish while elected."""
        await self._election.run(self._lead)

    async def stop(self) -> None:
        """Let `run()` return: what is under way is confirmed first, within five seconds."""
        self._election.stop()

    async def _lead(self, term: Term) -> None:
        progress = Progress(term.checkpoint)
        trouble = _Trouble(term, progress)
        parked = ParkedMessages(self._pool)
        await parked.want_retry()
        pause = SHORTEST_PAUSE
        while not term.stopping.is_set():
            before = progress.checkpoint
            try:
                await self._one_connection(term, progress, parked, trouble)
            except Exception as error:
                await trouble.note(first_cause(error))
            pause = (
                SHORTEST_PAUSE if progress.checkpoint > before else min(pause * 2, LONGEST_PAUSE)
            )
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(term.stopping.wait(), pause * random.uniform(0.5, 1))  # noqa: S311

    async def _one_connection(
        self, term: Term, progress: Progress, parked: ParkedMessages, trouble: _Trouble
    ) -> None:
        async with self._broker.publisher() as publisher:
            session = Session(
                self._pool,
                self._follower,
                publisher,
                parked,
                term,
                progress,
                trouble.end_if_through,
                self._window,
                trouble.careful_until,
            )
            await session.run()


class _Trouble:
    """One log line when it begins, one when it ends: when all that failed has come through."""

    def __init__(self, term: Term, progress: Progress) -> None:
        self._term = term
        self._progress = progress
        self._is_told = False
        self._through_at = 0
        self.careful_until = 0

    async def note(self, error: BaseException) -> None:
        """A session failed; TermLost goes through."""
        if isinstance(error, TermLost):
            raise error
        self._through_at = self._progress.started
        if isinstance(error, ContentRefused):
            self.careful_until = self._progress.started
        if not self._is_told:
            self._is_told = True
            _log.warning("relay: not publishing, bookings go on: %s", _told(error))
        await self._term.report(_told(error))

    async def end_if_through(self) -> None:
        """Called every now and then by a session that runs."""
        if self._is_told and self._progress.checkpoint >= self._through_at:
            self._is_told = False
            _log.info("relay: publishing again, at position %d", self._progress.checkpoint)
            await self._term.report(None)


def _told(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"[:500]
