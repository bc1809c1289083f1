"""The log is the outbox: every event reaches the broker, at least once, in its group's order.

One relay is elected over all processes. Its checkpoint moves only behind confirms, and only under
its own epoch; whatever fails, it goes on from there.
"""

from __future__ import annotations

import asyncpg

from services.query.relay_loop import Trouble, keep_publishing
from services.query.relay_parked import ParkedMessages, retry_parked
from services.query.relay_progress import Progress
from services.query.relay_session import Session
from shared.eventlog.election import Election, Term
from shared.eventlog.follower import Follower
from shared.messaging.rabbitmq import Broker, Publisher

NAME = "relay"
WINDOW = 256
DRAIN_SECONDS = 5.0


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
        parked = ParkedMessages(self._pool)
        await retry_parked(self._pool)

        async def session(publisher: Publisher, trouble: Trouble) -> None:
            await Session(
                self._pool,
                self._follower,
                publisher,
                parked,
                term,
                progress,
                trouble.end_if_through,
                self._window,
                trouble.careful_until,
            ).run()

        await keep_publishing(term, self._broker, progress, session)
