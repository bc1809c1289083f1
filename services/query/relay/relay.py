"""The relay: publishes every event of the log to the broker, at least once, in its group's order.

One relay per destination is elected over all processes. Its checkpoint moves only behind confirms,
and only under its own epoch; whatever fails, it goes on from there.
"""

from __future__ import annotations

from functools import partial

from services.query.relay.broker.publisher import Publisher
from services.query.relay.broker.rabbitmq import Broker
from services.query.relay.confirmed_positions import ConfirmedPositions
from services.query.relay.destination import TO_SUBSCRIBERS, Destination
from services.query.relay.message_cache import MessageCache
from services.query.relay.parked_messages import NothingParked, ParkedMessages, retry_parked
from services.query.relay.pipeline import WINDOW
from services.query.relay.session import Leadership, Session
from services.query.relay.term import RESIGN_SECONDS, Tenure, Trouble, keep_publishing
from shared.eventlog.election import Election, Term
from shared.eventlog.follower import Follower
from shared.eventlog.record import StoredRecord
from shared.runtime.postgres import Pool

DRAIN_SECONDS = 5.0


class Relay:
    """`run()` until `stop()`; safe to run in every process."""

    def __init__(
        self,
        pool: Pool,
        log: Follower[StoredRecord],
        broker: Broker,
        dsn: str,
        window: int = WINDOW,
        destination: Destination = TO_SUBSCRIBERS,
        messages: MessageCache | None = None,
        resign_seconds: float = RESIGN_SECONDS,
    ) -> None:
        self._pool = pool
        self._log = log
        self._messages = messages or MessageCache()
        self._broker = broker
        self._window = window
        self._destination = destination
        self._tenure = Tenure(resign_seconds)
        self._election = Election(dsn, destination.name, DRAIN_SECONDS)

    async def run(self) -> None:
        """Stand for election and publish while elected."""
        await self._election.run(self._lead)

    def stop(self) -> None:
        """Let `run()` return: what is under way is confirmed first, within five seconds."""
        self._election.stop()

    async def _lead(self, term: Term) -> None:
        parked = (
            ParkedMessages(self._pool) if self._destination.parks else NothingParked(self._pool)
        )
        if self._destination.parks:
            await retry_parked(self._pool)
        progress = ConfirmedPositions(term.checkpoint)
        lead = Leadership(
            self._pool,
            self._log,
            self._messages,
            self._destination,
            parked,
            term,
            progress,
            self._window,
        )
        session = partial(self._publish, lead)
        needs = self._destination.needs
        await keep_publishing(term, self._broker, needs, progress, session, self._tenure)

    async def _publish(self, lead: Leadership, publisher: Publisher, trouble: Trouble) -> None:
        await Session(lead, publisher, trouble).run()
