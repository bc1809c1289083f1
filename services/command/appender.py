"""Group commit: one append in flight, and all that waited meanwhile goes into the next one.

No timers: the batch forms while the last commit is on its way, so it grows with the load. After an
unknown outcome the log itself is asked what became durable before anyone is answered.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from uuid import UUID

import asyncpg

from services.command.clock import DatabaseClock
from services.command.mailbox import MAX_BATCH, Mailbox
from shared.booking_api.errors import InternalError, TooBusy
from shared.eventlog.store import (
    Appended,
    Entry,
    EventStore,
    Outcome,
    OutcomeUnknown,
    StoreUnavailable,
)

MAX_COMMANDS = 512
UNKNOWN_SECONDS = 10.0
RETRY_SECONDS = 0.05
_log = logging.getLogger(__name__)

Reload = Callable[[Mailbox], None]


class NotifyLimiter:
    """Followers are woken at most every 5 ms: they poll anyway, and NOTIFY has its price."""

    def __init__(self, seconds: float = 0.005) -> None:
        self._seconds = seconds
        self._last = 0.0

    def is_due(self) -> bool:
        """Whether this append should wake the followers."""
        now = time.monotonic()
        if now - self._last < self._seconds:
            return False
        self._last = now
        return True


class Appender:
    """Merges the batches of all mailboxes that have work into one `append()` after another."""

    def __init__(self, store: EventStore, clock: DatabaseClock, reload: Reload) -> None:
        self._store = store
        self._clock = clock
        self._reload = reload
        self._ready: deque[Mailbox] = deque()
        self._queued: set[Mailbox] = set()
        self._work = asyncio.Event()
        self._notify = NotifyLimiter()
        self._suspects = 0

    def enqueue(self, mailbox: Mailbox) -> None:
        """The mailbox has commands and its group is loaded."""
        if mailbox not in self._queued and mailbox.in_flight is None:
            self._queued.add(mailbox)
            self._ready.append(mailbox)
            self._work.set()

    async def run(self) -> None:
        """For ever; cancel it once the mailboxes are drained."""
        while True:
            await self._work.wait()
            batch = self._collect()
            if batch:
                await self._append(batch)
            elif not self._ready:
                self._work.clear()

    def _collect(self) -> list[tuple[Mailbox, Entry]]:
        now, loop_time = self._clock.now(), asyncio.get_running_loop().time()
        batch: list[tuple[Mailbox, Entry]] = []
        room = 1 if self._suspects > 0 else MAX_COMMANDS
        while self._ready and room > 0:
            mailbox = self._ready.popleft()
            self._queued.discard(mailbox)
            entry = mailbox.prepare(now, loop_time, min(room, MAX_BATCH))
            if entry is not None:
                batch.append((mailbox, entry))
                room -= max(len(entry.events), 1)
        return batch

    async def _append(self, batch: Sequence[tuple[Mailbox, Entry]]) -> None:
        try:
            outcomes = await self._durable([entry for _, entry in batch])
        except asyncpg.PostgresError as error:
            self._separate([mailbox for mailbox, _ in batch], error)
            return
        except (StoreUnavailable, OutcomeUnknown) as error:
            _log.warning("append failed: %s", type(error).__name__)
            for mailbox, _ in batch:
                mailbox.give_up(TooBusy())
                mailbox.group = None
            self._go_on([mailbox for mailbox, _ in batch])
            return
        self._suspects = max(self._suspects - 1, 0)
        for (mailbox, _), outcome in zip(batch, outcomes, strict=True):
            if isinstance(outcome, Appended):
                self._clock.set(outcome.recorded_at)
            mailbox.settle(outcome)
        self._go_on([mailbox for mailbox, _ in batch])

    def _go_on(self, mailboxes: Sequence[Mailbox]) -> None:
        for mailbox in mailboxes:
            if mailbox.group is None:
                self._reload(mailbox)
            elif mailbox.waiting:
                self.enqueue(mailbox)

    def _separate(self, mailboxes: Sequence[Mailbox], error: asyncpg.PostgresError) -> None:
        """The database refused the batch: find the command that it cannot take, one by one."""
        if self._suspects > 0:
            _log.error("a command cannot be stored: %s", type(error).__name__)
            self._suspects -= 1
            for mailbox in mailboxes:
                mailbox.give_up(InternalError())
        else:
            self._suspects = sum(mailbox.retry() for mailbox in mailboxes)
        self._go_on(mailboxes)

    async def _durable(self, entries: Sequence[Entry]) -> list[Outcome]:
        """Outcomes that hold, whatever the connection did: see decision 0005.

        An entry is durable as a whole or not at all, so its first event tells.
        """
        try:
            return await self._store.append(entries, self._notify.is_due())
        except OutcomeUnknown:
            _log.warning("outcome of an append unknown: asking the log")
        give_up_at = asyncio.get_running_loop().time() + UNKNOWN_SECONDS
        while True:
            try:
                return await self._resolve(entries)
            except (OutcomeUnknown, StoreUnavailable):
                if asyncio.get_running_loop().time() > give_up_at:
                    raise OutcomeUnknown from None
                await asyncio.sleep(RETRY_SECONDS)

    async def _resolve(self, entries: Sequence[Entry]) -> list[Outcome]:
        durable = await self._find(entries)
        rest = [entry for entry in entries if _name(entry) not in durable]
        outcomes = dict(zip(map(id, rest), await self._store.append(rest), strict=True))
        # What was under way may have become durable in between: then its retry was a conflict.
        durable |= await self._find(rest)
        return [durable.get(_name(entry)) or outcomes[id(entry)] for entry in entries]

    async def _find(self, entries: Sequence[Entry]) -> dict[UUID | None, Outcome]:
        names = {entry.events[-1].event_id: _name(entry) for entry in entries if entry.events}
        found = await self._store.find_events(list(names))
        return {names[event_id]: outcome for event_id, outcome in found.items()}


def _name(entry: Entry) -> UUID | None:
    return entry.events[0].event_id if entry.events else None
