"""Republishes a part of the log to one subscriber's queue and to nobody else's, with the same ids.

Anything may end it: it has then published at least up to the position that it told last, and can
be started again from there.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from functools import partial

from services.query.relay.broker.publisher import Publisher, PublishFailed, Unroutable
from services.query.relay.broker.rabbitmq import Broker
from services.query.relay.confirmed_positions import ConfirmedPositions
from services.query.relay.destination import Destination
from services.query.relay.group_queues import Detour
from services.query.relay.message_cache import EncodedMessage, MessageCache
from services.query.relay.pipeline import Pipeline
from services.query.relay.term import first_cause
from shared.eventlog.follower import Follower, read_log
from shared.eventlog.record import StoredRecord
from shared.messaging.topology import CORE
from shared.runtime.postgres import Pool

TRIES = 5


class NoSuchQueue(Exception):
    """The broker has no queue of this name."""


class Republishing:
    """Positions `first` to `last`, in each group's order, to one queue."""

    def __init__(
        self,
        pool: Pool,
        broker: Broker,
        queue: str,
        first: int,
        last: int,
        tell: Callable[[int], None] = lambda position: None,
    ) -> None:
        self._pool = pool
        self._broker = broker
        self._queue = queue
        # The default exchange: its routing keys are the names of queues.
        self._destination = Destination(
            "republish", "", queue, CORE, parks=False, may_go_unheard=False
        )
        self._messages = MessageCache()
        self._last = last
        self._tell = tell
        self._progress = ConfirmedPositions(first - 1)

    async def run(self) -> int:
        """The last position that was published; NoSuchQueue, PublishFailed, UndecodableEvent."""
        tries = 0
        while True:
            before = self._progress.checkpoint
            try:
                async with self._broker.publisher() as publisher:
                    await self._publish_all(publisher)
                return self._progress.checkpoint
            except ExceptionGroup as failures:
                tries = tries + 1 if self._progress.checkpoint == before else 1
                self._give_up_unless_worth_it(first_cause(failures), tries)
            await asyncio.sleep(2**tries / 10)

    def _give_up_unless_worth_it(self, failure: BaseException, tries: int) -> None:
        if isinstance(failure, Unroutable):
            raise NoSuchQueue(f"there is no queue {self._queue!r}") from failure
        if not isinstance(failure, PublishFailed) or tries >= TRIES:
            raise failure

    async def _publish_all(self, publisher: Publisher) -> None:
        pipeline = Pipeline(self._pool, publisher, self._destination)

        def plan(record: StoredRecord) -> EncodedMessage | Detour:
            message = self._messages.message_of(record)
            return partial(pipeline.publish_all_of, record) if message is None else message

        async with asyncio.TaskGroup() as tasks:
            losing = tasks.create_task(publisher.lost())
            queues = pipeline.open(tasks, plan, self._done)
            async for record in self._records():
                await queues.put(record)
            await queues.idle()
            losing.cancel()
        self._tell(self._progress.checkpoint)

    def _done(self, record: StoredRecord) -> None:
        self._progress.done(record.position)

    async def _records(self) -> AsyncIterator[StoredRecord]:
        log = Follower(partial(read_log, self._pool))
        async for batch in log.follow(self._progress.checkpoint, self._last):
            for record in batch:
                if not self._progress.is_done(record.position):
                    yield record
            self._tell(self._progress.checkpoint)
