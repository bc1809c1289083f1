"""Takes a command, gives a reply: through the group's mailbox, durable before it returns."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from datetime import datetime
from uuid import UUID

from services.command.appender import Appender
from services.command.cache import MailboxCache
from services.command.clock import DatabaseClock
from services.command.commands import Command
from services.command.mailbox import Mailbox
from services.command.pending import Pending, SealAnswer
from services.command.reply import Render, Reply
from shared.booking_api.errors import Parked, TooBusy
from shared.domain.group import Group, evolve
from shared.eventlog.codec import UndecodableEvent
from shared.eventlog.store import EventStore, StoreUnavailable

COMMAND_SECONDS = 10.0
_log = logging.getLogger(__name__)


class CommandHandler:
    """Loads groups, queues commands, and runs the appender between `start` and `stop`."""

    def __init__(self, store: EventStore, cache: MailboxCache, clock: DatabaseClock) -> None:
        self._store = store
        self._cache = cache
        self._clock = clock
        self._appender = Appender(store, clock, self._load_soon)
        self._running: asyncio.Task[None] | None = None
        self._loading: dict[UUID, asyncio.Task[None]] = {}

    def start(self) -> None:
        self._running = asyncio.create_task(self._appender.run(), name="appender")

    def now(self) -> datetime:
        """The database's time."""
        return self._clock.now()

    @property
    def is_running(self) -> bool:
        return self._running is not None and not self._running.done()

    async def stop(self) -> None:
        """Call it once no request is under way any more."""
        for task in (*self._loading.values(), self._running):
            if task is not None:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task

    async def handle(
        self,
        command: Command,
        render: Render,
        command_id: UUID | None = None,
        seal_answer: SealAnswer | None = None,
    ) -> Reply:
        """The reply, once it is durable: of events committed, or of a refusal confirmed.

        Raises TooBusy when it cannot be had in time, AnsweredBefore for a known `command_id`.
        """
        loop = asyncio.get_running_loop()
        pending = Pending(
            command=command,
            render=render,
            deadline=loop.time() + COMMAND_SECONDS,
            future=loop.create_future(),
            command_id=command_id,
            seal_answer=seal_answer,
        )
        mailbox = self._cache.get(command.group_id)
        mailbox.put(pending)
        if mailbox.group is None:
            self._load_soon(mailbox)
        else:
            self._appender.enqueue(mailbox)
        return await pending.future

    def _load_soon(self, mailbox: Mailbox) -> None:
        if mailbox.group_id not in self._loading:
            task = asyncio.create_task(self._load(mailbox), name="load group")
            self._loading[mailbox.group_id] = task

    async def _load(self, mailbox: Mailbox) -> None:
        try:
            mailbox.group = await self._read(mailbox.group_id)
            self._cache.resize(mailbox)
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
            self._loading.pop(mailbox.group_id, None)

    async def _read(self, group_id: UUID) -> Group:
        group = Group(group_id)
        for event in await self._store.read_stream(group_id):
            evolve(group, event)
        return group
