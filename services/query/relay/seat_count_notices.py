"""Publishes seat count notices, at most `per_second` a group; the newest count always comes.

What happens in between is folded into the next notice, which carries the position it is of, so a
late one is told from a new one.
"""

from __future__ import annotations

import asyncio
import logging
from typing import NamedTuple
from uuid import UUID

from services.query.relay.broker.publisher import Publisher
from services.query.relay.broker.rabbitmq import Broker
from services.query.relay.confirmed_positions import ConfirmedPositions
from services.query.relay.group_queues import start
from services.query.relay.term import Tenure, Trouble, keep_publishing
from shared.eventlog.codec import UndecodableEvent, decode
from shared.eventlog.election import Election, Term
from shared.eventlog.follower import Follower
from shared.eventlog.record import StoredRecord
from shared.messaging.cloudevent import render_seats_changed
from shared.messaging.topology import CHANGES, CORE

NAME = "changes"
PER_SECOND = 2.0
GROUPS = 10_000
CHECKPOINT_SECONDS = 0.25
DRAIN_SECONDS = 5.0
_log = logging.getLogger(__name__)


class ChangeNotices:
    """`run()` until `stop()`; safe to run in every process."""

    def __init__(
        self,
        log: Follower[StoredRecord],
        broker: Broker,
        dsn: str,
        per_second: float = PER_SECOND,
    ) -> None:
        self._log = log
        self._broker = broker
        self._pause = 1 / per_second
        self._tenure = Tenure()
        self._election = Election(dsn, NAME, DRAIN_SECONDS)

    async def run(self) -> None:
        """Stand for election and publish while elected."""
        await self._election.run(self._lead)

    def stop(self) -> None:
        """Let `run()` return: the newest counts are sent first, within five seconds."""
        self._election.stop()

    async def _lead(self, term: Term) -> None:
        progress = ConfirmedPositions(term.checkpoint)

        async def session(publisher: Publisher, trouble: Trouble) -> None:
            await _Session(self._log, publisher, term, progress, trouble, self._pause).run()

        await keep_publishing(term, self._broker, CORE, progress, session, self._tenure)


class _Session:
    """One connection's life. A group has a task while it has news, and for its pause after that."""

    def __init__(
        self,
        log: Follower[StoredRecord],
        publisher: Publisher,
        term: Term,
        progress: ConfirmedPositions,
        trouble: Trouble,
        pause: float,
    ) -> None:
        self._log = log
        self._publisher = publisher
        self._term = term
        self._progress = progress
        self._trouble = trouble
        self._pause = pause
        self._room = asyncio.Semaphore(GROUPS)
        self._read_up_to = progress.checkpoint
        self._news: dict[UUID, _News] = {}
        self._sending: dict[UUID, _News] = {}
        self._active: set[UUID] = set()
        self._idle = asyncio.Event()

    async def run(self) -> None:
        """Send until `term.stopping`; a failure comes as an ExceptionGroup."""
        async with asyncio.TaskGroup() as tasks:
            reading = tasks.create_task(self._read(tasks))
            helpers = [
                tasks.create_task(self._publisher.lost()),
                tasks.create_task(self._keep_checkpoint()),
            ]
            await self._term.stopping.wait()
            reading.cancel()
            if self._active:
                await self._idle.wait()
            for helper in helpers:
                helper.cancel()
        await self._store_checkpoint()

    async def _read(self, tasks: asyncio.TaskGroup) -> None:
        async for batch in self._log.follow(self._progress.checkpoint):
            for record in batch:
                await self._take(tasks, record)
                self._read_up_to = self._progress.started = record.position

    async def _take(self, tasks: asyncio.TaskGroup, record: StoredRecord) -> None:
        group_id = record.group_id
        known = self._news.get(group_id)
        self._news[group_id] = _News(known.since if known else record.position, record)
        if group_id not in self._active:
            await self._room.acquire()
            self._active.add(group_id)
            self._idle.clear()
            start(tasks, self._tell(group_id))

    async def _tell(self, group_id: UUID) -> None:
        while group_id in self._news:
            self._sending[group_id] = self._news.pop(group_id)
            await self._send(self._sending[group_id].newest)
            del self._sending[group_id]
            await asyncio.sleep(self._pause)
        self._active.discard(group_id)
        self._room.release()
        if not self._active:
            self._idle.set()

    async def _send(self, record: StoredRecord) -> None:
        self._term.ensure_current()
        try:
            notice = render_seats_changed(decode(record))
        except UndecodableEvent as error:  # the relay parks it, where people look
            _log.warning("changes: position %d is left out: %s", record.position, error)
        else:
            await self._publisher.publish(notice, CHANGES, mandatory=False)

    async def _keep_checkpoint(self) -> None:
        while True:
            await self._store_checkpoint()
            await self._trouble.end_if_through()
            await asyncio.sleep(CHECKPOINT_SECONDS)

    async def _store_checkpoint(self) -> None:
        unsent = [news.since for news in (*self._news.values(), *self._sending.values())]
        self._progress.checkpoint = min(unsent, default=self._read_up_to + 1) - 1
        if self._progress.checkpoint > self._term.checkpoint:
            await self._term.move_checkpoint(self._progress.checkpoint)


class _News(NamedTuple):
    """A group's newest event, and since which position nothing was sent of it."""

    since: int
    newest: StoredRecord
