"""A relay's session on one connection: follows the log, publishes, moves the checkpoint.

Ends with an exception at the first failure, or without one when the relay is to stop and everything
under way is confirmed. Whoever starts the next session goes on from the same `ConfirmedPositions`.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from services.query.relay.broker.publisher import ContentRefused, Publisher, PublishFailed
from services.query.relay.confirmed_positions import ConfirmedPositions
from services.query.relay.destination import Destination
from services.query.relay.group_queues import Detour, GroupQueues
from services.query.relay.message_cache import EncodedMessage, MessageCache
from services.query.relay.parked_messages import ParkedMessages
from services.query.relay.pipeline import Pipeline
from services.query.relay.term import Trouble
from shared.eventlog.codec import UndecodableEvent
from shared.eventlog.election import Term
from shared.eventlog.follower import Follower
from shared.eventlog.record import StoredRecord
from shared.eventlog.statements import statement
from shared.runtime.fault_points import reached
from shared.runtime.postgres import Pool

CHECKPOINT_SECONDS = 0.1
PARKED_SECONDS = 1.0
STALL_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Leadership:
    """What stays the same over the connections of one term."""

    pool: Pool
    log: Follower[StoredRecord]
    messages: MessageCache
    destination: Destination
    parked: ParkedMessages
    term: Term
    progress: ConfirmedPositions
    window: int


class Session:
    """One connection's life, until the first failure."""

    def __init__(self, lead: Leadership, publisher: Publisher, trouble: Trouble) -> None:
        self._pool = lead.pool
        self._log = lead.log
        self._messages = lead.messages
        self._destination = lead.destination
        self._parked = lead.parked
        self._term = lead.term
        self._progress = lead.progress
        self._publisher = publisher
        self._trouble = trouble
        self._pipeline = Pipeline(
            lead.pool, publisher, lead.destination, lead.term.ensure_current, lead.window
        )
        self._careful_until = trouble.careful_until
        self._alone = asyncio.Lock()

    async def run(self) -> None:
        """Publish until `term.stopping`, or until parked messages are to be tried again."""
        await self._retry_parked()
        async with asyncio.TaskGroup() as tasks:
            queues = self._pipeline.open(tasks, self._plan, self._done)
            reading = tasks.create_task(self._read(queues))
            helpers = [
                tasks.create_task(self._publisher.lost()),
                tasks.create_task(self._keep_checkpoint(queues)),
                tasks.create_task(self._watch_for_stall()),
            ]
            await self._until_asked_to_end()
            reading.cancel()
            await queues.idle()
            for helper in helpers:
                helper.cancel()
        await self._store_checkpoint()

    async def _until_asked_to_end(self) -> None:
        while not self._term.stopping.is_set() and not await self._parked.is_outdated():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(PARKED_SECONDS):
                    await self._term.stopping.wait()

    async def _read(self, queues: GroupQueues) -> None:
        is_careful = True
        async for batch in self._log.follow(self._progress.checkpoint):
            for record in batch:
                if self._progress.is_done(record.position):
                    continue
                if is_careful and record.position > self._careful_until:
                    await queues.idle()
                    is_careful = False
                self._progress.start(record.position)
                await queues.put(record)

    def _done(self, record: StoredRecord) -> None:
        self._progress.done(record.position)

    def _plan(self, record: StoredRecord) -> EncodedMessage | Detour:
        """The one message that the event is, or what is to be done instead."""
        first = self._parked.first_of(record.group_id)
        if first is not None:
            return partial(self._parked.park, self._term, record, f"behind position {first}")
        if record.position <= self._careful_until:
            return partial(self._relay_alone, record)
        try:
            message = self._messages.message_of(record)
        except (UndecodableEvent, ContentRefused) as error:
            return partial(self._parked.park, self._term, record, str(error))
        return partial(self._pipeline.publish_all_of, record) if message is None else message

    async def _relay_alone(self, record: StoredRecord) -> None:
        async with self._alone:
            await self._publish_or_park(record)

    async def _publish_or_park(self, record: StoredRecord) -> bool:
        """Whether it was published; nothing else is under way that could have been refused."""
        try:
            await self._pipeline.publish_all_of(record)
        except UndecodableEvent as error:
            await self._parked.park(self._term, record, str(error))
            return False
        except ContentRefused as error:
            await self._parked.park(self._term, record, str(error))
            self._progress.done(record.position)
            raise
        return True

    async def _retry_parked(self) -> None:
        for group_id in await self._parked.load():
            await self._retry_group(group_id)

    async def _retry_group(self, group_id: UUID) -> None:
        while waiting := await self._parked.records_of(group_id):
            for record in waiting:
                if not await self._publish_or_park(record):
                    return
                await self._parked.unpark(record)
        self._parked.released(group_id)

    async def _keep_checkpoint(self, queues: GroupQueues) -> None:
        while True:
            queues.behind = self._trouble.behind(self._destination.behind)
            await self._store_checkpoint()
            await self._trouble.end_if_through()
            await asyncio.sleep(CHECKPOINT_SECONDS)

    async def _store_checkpoint(self) -> None:
        if self._progress.checkpoint > self._term.checkpoint:
            reached("before_checkpoint")
            await self._term.move_checkpoint(self._progress.checkpoint)

    async def _watch_for_stall(self) -> None:
        """The own watchdog: whatever hangs without an error is ended with one."""
        seen, since = -1, time.monotonic()
        while True:
            if self._pipeline.confirms != seen or await self._is_at_head():
                seen, since = self._pipeline.confirms, time.monotonic()
            elif time.monotonic() - since > STALL_SECONDS:
                raise PublishFailed(f"no progress for {STALL_SECONDS:g} s")
            await asyncio.sleep(STALL_SECONDS / 10)

    async def _is_at_head(self) -> bool:
        head = await self._pool.fetchval(
            statement("log_position", __package__), timeout=STALL_SECONDS
        )
        return bool(self._progress.checkpoint >= head)
