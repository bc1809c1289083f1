"""One connection's life: reads the log on from the checkpoint, publishes, moves the checkpoint.

Ends with an exception at the first failure, or without one when the relay is to stop and everything
under way is confirmed. Whoever starts the next session goes on from the same `Progress`.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import dataclass
from functools import partial
from uuid import UUID

import asyncpg

from services.query.relay_lanes import Lanes
from services.query.relay_loop import Trouble, first_cause
from services.query.relay_messages import waves_of
from services.query.relay_outlet import Outlet
from services.query.relay_parked import ParkedMessages
from services.query.relay_progress import Progress
from shared.eventlog.codec import UndecodableEvent
from shared.eventlog.election import Term
from shared.eventlog.follower import Follower
from shared.eventlog.record import StoredRecord
from shared.eventlog.statements import statement
from shared.fault_points import reached
from shared.messaging.cloudevent import Message
from shared.messaging.rabbitmq import ContentRefused, Publisher, PublishFailed, Unroutable
from shared.messaging.topology import EVENTS_UNROUTED

CHECKPOINT_SECONDS = 0.1
PARKED_SECONDS = 1.0
STALL_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Leadership:
    """What stays the same over the connections of one term."""

    pool: asyncpg.Pool[asyncpg.Record]
    follower: Follower
    outlet: Outlet
    parked: ParkedMessages
    term: Term
    progress: Progress
    window: int


class Session:
    """One connection's life, until the first failure."""

    def __init__(self, lead: Leadership, publisher: Publisher, trouble: Trouble) -> None:
        self._pool = lead.pool
        self._follower = lead.follower
        self._outlet = lead.outlet
        self._parked = lead.parked
        self._term = lead.term
        self._progress = lead.progress
        self._publisher = publisher
        self._trouble = trouble
        self._window = asyncio.Semaphore(lead.window)
        self._careful_until = trouble.careful_until
        self._alone = asyncio.Lock()
        self.confirms = 0

    async def run(self) -> None:
        """Publish until `term.stopping`, or until parked messages are to be tried again."""
        await self._retry_parked()
        async with asyncio.TaskGroup() as tasks:
            lanes = Lanes(tasks)
            reading = tasks.create_task(self._read(lanes))
            helpers = [
                tasks.create_task(self._publisher.lost()),
                tasks.create_task(self._keep_checkpoint()),
                tasks.create_task(self._watch_for_stall()),
            ]
            await self._until_asked_to_end()
            reading.cancel()
            await lanes.idle()
            for helper in helpers:
                helper.cancel()
        await self._store_checkpoint()

    async def _until_asked_to_end(self) -> None:
        while not self._term.stopping.is_set() and not await self._parked.is_outdated():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(PARKED_SECONDS):
                    await self._term.stopping.wait()

    async def _read(self, lanes: Lanes) -> None:
        async for batch in self._follower.follow(self._progress.checkpoint):
            for record in batch:
                if not self._progress.is_done(record.position):
                    self._progress.start(record.position)
                    await lanes.put(record.group_id, partial(self._relay, record))

    async def _relay(self, record: StoredRecord) -> None:
        first = self._parked.first_of(record.group_id)
        if first is not None:
            await self._parked.park(self._term, record, f"behind position {first}")
        elif record.position <= self._careful_until:
            async with self._alone:
                await self._publish_or_park(record, is_alone=True)
        else:
            await self._publish_or_park(record, is_alone=False)
        self._progress.done(record.position)

    async def _publish_or_park(self, record: StoredRecord, is_alone: bool) -> bool:
        """Whether it was published. If it was not alone, another one may have been refused."""
        try:
            await self._publish(record)
        except UndecodableEvent as error:
            await self._parked.park(self._term, record, str(error))
            return False
        except ContentRefused as error:
            if is_alone:
                await self._parked.park(self._term, record, str(error))
                self._progress.done(record.position)
            raise
        return True

    async def _publish(self, record: StoredRecord) -> None:
        async for wave in waves_of(self._pool, record):
            if len(wave) == 1:
                await self._send(wave[0])
            else:
                await self._send_side_by_side(wave)

    async def _send_side_by_side(self, wave: list[Message]) -> None:
        try:
            async with asyncio.TaskGroup() as tasks:
                for message in wave:
                    tasks.create_task(self._send(message))
        except BaseExceptionGroup as failures:
            raise first_cause(failures) from failures

    async def _send(self, message: Message) -> None:
        async with self._window:
            self._term.ensure_current()
            reached("before_publish")
            asyncio.get_running_loop().call_soon(reached, "before_confirm")
            await self._publish_somewhere(message)
            reached("after_confirm")
            self.confirms += 1

    async def _publish_somewhere(self, message: Message) -> None:
        try:
            await self._publisher.publish(message, self._outlet.exchange, self._outlet.key)
        except Unroutable:
            if not self._outlet.may_go_unheard:
                raise
            # Its alternate is not asked while anything is bound to an exchange: `by_group` is.
            await self._publisher.publish(message, EVENTS_UNROUTED, mandatory=False)

    async def _retry_parked(self) -> None:
        for group_id in await self._parked.load():
            await self._retry_group(group_id)

    async def _retry_group(self, group_id: UUID) -> None:
        while waiting := await self._parked.records_of(group_id):
            for record in waiting:
                if not await self._publish_or_park(record, is_alone=True):
                    return
                await self._parked.unpark(record)
        self._parked.released(group_id)

    async def _keep_checkpoint(self) -> None:
        while True:
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
            if self.confirms != seen or await self._is_at_head():
                seen, since = self.confirms, time.monotonic()
            elif time.monotonic() - since > STALL_SECONDS:
                raise PublishFailed(f"no progress for {STALL_SECONDS:g} s")
            await asyncio.sleep(STALL_SECONDS / 10)

    async def _is_at_head(self) -> bool:
        head = await self._pool.fetchval(
            statement("log_position", "services.query"), timeout=STALL_SECONDS
        )
        return bool(self._progress.checkpoint >= head)
