"""Command handler: a command goes through its group's mailbox; its reply is durable."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Any
from uuid import UUID

from services.command.commit.appender import Appender
from services.command.commit.clock import DatabaseClock
from services.command.commit.mailbox import Mailbox
from services.command.commit.mailbox_cache import MailboxCache
from services.command.commit.queued_command import AnsweredBefore, QueuedCommand
from services.command.commit.reply import Reply
from services.command.commit.snapshots import Snapshots
from shared.booking_api.errors import Parked, TooBusy
from shared.eventlog.codec import UndecodableEvent
from shared.eventlog.store import EventStore, StoreUnavailable
from shared.runtime.fault_points import reached
from shared.runtime.metrics import GROUP_LOADS, GROUP_TURNS

COMMAND_SECONDS = 10.0
SWEEP_SECONDS = 0.5
MAX_UNDER_WAY = 20_000
_log = logging.getLogger(__name__)


class CommandHandler:
    """Loads groups, queues commands, and runs the appender between `start` and `stop`."""

    def __init__(
        self,
        store: EventStore,
        cache: MailboxCache,
        clock: DatabaseClock,
        command_seconds: float = COMMAND_SECONDS,
    ) -> None:
        self._store = store
        self._cache = cache
        self._clock = clock
        self._command_seconds = command_seconds
        self._appender = Appender(store, clock, self._settled, self._go_on)
        self._snapshots = Snapshots(store)
        self._running: list[asyncio.Task[None]] = []
        self._readying: dict[UUID, asyncio.Task[None]] = {}
        self._keyed: dict[UUID, QueuedCommand] = {}
        self._under_way = 0

    def start(self) -> None:
        self._running = [
            asyncio.create_task(self._appender.run(), name="appender"),
            asyncio.create_task(self._sweep(), name="deadlines"),
        ]

    def now(self) -> datetime:
        """The database's time."""
        return self._clock.now()

    @property
    def under_way(self) -> int:
        """Commands that have no answer yet."""
        return self._under_way

    @property
    def is_running(self) -> bool:
        return bool(self._running) and not any(task.done() for task in self._running)

    async def stop(self) -> None:
        """Call it once no request is under way any more."""
        tasks = [*self._readying.values(), *self._running]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        await self._snapshots.stop()

    async def handle(self, queued: QueuedCommand) -> Reply:
        """The reply, once it is durable: of events committed, or of a refusal confirmed.

        Raises TooBusy when it cannot be had in time, AnsweredBefore when its id is known.
        """
        self._expect(queued)
        self._under_way += 1
        try:
            if queued.command_id is not None:
                return await self._once(queued)
            self._submit(queued)
            return await queued.future
        finally:
            self._under_way -= 1

    def begin(self, queued: QueuedCommand) -> asyncio.Future[Reply]:
        """As `handle`, for a command without id and for someone who is called back.

        Raises TooBusy when it was not even begun.
        """
        self._expect(queued)
        self._submit(queued)
        self._under_way += 1
        queued.future.add_done_callback(self._ended)
        return queued.future

    def _ended(self, _: asyncio.Future[Reply]) -> None:
        self._under_way -= 1

    def _expect(self, queued: QueuedCommand) -> None:
        if self._under_way >= MAX_UNDER_WAY:
            raise TooBusy
        queued.wait_until(asyncio.get_running_loop().time() + self._command_seconds)

    async def _once(self, queued: QueuedCommand) -> Reply:
        """Only one of several with the same key is decided; the others find its answer stored."""
        ids = queued.ids
        while first := next((self._keyed[one] for one in ids if one in self._keyed), None):
            await asyncio.wait({first.future})
            if not first.future.cancelled() and first.future.exception() is None:
                raise AnsweredBefore
        self._keyed.update(dict.fromkeys(ids, queued))
        try:
            self._submit(queued)
            return await queued.future
        finally:
            for one in ids:
                del self._keyed[one]

    def _submit(self, queued: QueuedCommand) -> None:
        mailbox = self._cache.get(queued.command.group_id)
        mailbox.put(queued)
        self._go_on(mailbox)

    def _settled(self, mailbox: Mailbox) -> None:
        """Its group was loaded or has grown."""
        self._cache.resize(mailbox)
        self._snapshots.consider(mailbox)

    def _go_on(self, mailbox: Mailbox) -> None:
        """The mailbox has something to do: load its group, wait for its lock, or be appended."""
        if mailbox.in_flight is not None or mailbox.group_id in self._readying:
            return
        if mailbox.group is None:
            self._ready_soon(mailbox, self._load)
        elif mailbox.contended_until > asyncio.get_running_loop().time():
            self._ready_soon(mailbox, self._take_lock)
        else:
            self._appender.enqueue(mailbox)

    def _ready_soon(
        self, mailbox: Mailbox, make_ready: Callable[[Mailbox], Coroutine[Any, Any, None]]
    ) -> None:
        task = asyncio.create_task(make_ready(mailbox), name=make_ready.__name__)
        self._readying[mailbox.group_id] = task

    async def _take_lock(self, mailbox: Mailbox) -> None:
        """Others write to this group too: wait for the lock, and see what they did."""
        try:
            group = mailbox.group
            lock = await self._store.take_lock(mailbox.group_id, group.version if group else 0)
            if lock is not None:
                GROUP_TURNS.add()
                mailbox.take_lock(lock, asyncio.get_running_loop().time())
                reached("holding_turn")
        finally:
            self._readying.pop(mailbox.group_id, None)
            self._appender.enqueue(mailbox)

    async def _load(self, mailbox: Mailbox) -> None:
        GROUP_LOADS.add()
        try:
            mailbox.group, mailbox.snapshot_version = await self._store.read_group(mailbox.group_id)
            self._settled(mailbox)
            self._appender.enqueue(mailbox)
        except StoreUnavailable:
            mailbox.fail_waiting(TooBusy())
        except UndecodableEvent as error:
            _log.error("group %s cannot be read: %s", mailbox.group_id, error)
            mailbox.fail_waiting(Parked())
        except Exception:
            _log.exception("group %s cannot be loaded", mailbox.group_id)
            mailbox.fail_waiting(TooBusy())
        finally:
            self._readying.pop(mailbox.group_id, None)

    async def _sweep(self) -> None:
        """Nobody waits past the deadline, even when the appender hangs on a dead database."""
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            if self._under_way:
                loop_time = asyncio.get_running_loop().time()
                for mailbox in self._cache.mailboxes():
                    mailbox.drop_late(loop_time)
