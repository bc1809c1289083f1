"""Group commit: one append in flight, and all that waited meanwhile goes into the next one.

No timers: the batch forms while the last commit is on its way, so it grows with the load. Whatever
a batch meets, the loop goes on; who cannot be answered is told so.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Sequence

from services.command.commit.clock import DatabaseClock
from services.command.commit.mailbox import MAX_BATCH, Mailbox
from services.command.commit.queued_command import OutcomeNotKnown
from services.command.commit.unknown_outcome import append_for_sure
from shared.booking_api.errors import ApiError, InternalError, TooBusy
from shared.eventlog.store import (
    Appended,
    Entry,
    EventStore,
    Outcome,
    OutcomeUnknown,
    StoreUnavailable,
)
from shared.runtime.fault_points import reached
from shared.runtime.metrics import APPEND_COMMANDS, APPEND_FAILURES, APPEND_OUTCOMES, APPEND_SECONDS

MAX_COMMANDS = 512
SALE_COMMANDS = 16
_log = logging.getLogger(__name__)


class NotifyLimiter:
    """Followers are woken at most every 5 ms, in a sale every 20: they poll anyway, and each of
    them pays for it."""

    def __init__(self, seconds: float = 0.005, sale_seconds: float = 0.02) -> None:
        self._seconds = seconds
        self._sale_seconds = sale_seconds
        self._last = 0.0

    def is_due(self, commands: int) -> bool:
        """Whether an append of so many commands should wake the followers."""
        now = time.monotonic()
        seconds = self._seconds if commands < SALE_COMMANDS else self._sale_seconds
        if now - self._last < seconds:
            return False
        self._last = now
        return True


class Appender:
    """Merges the batches of all mailboxes that have work into one `append()` after another.

    `settled` is told of every mailbox after its batch; `go_on` takes back one that has more to do,
    or whose group must be read again.
    """

    def __init__(
        self,
        store: EventStore,
        clock: DatabaseClock,
        settled: Callable[[Mailbox], None],
        go_on: Callable[[Mailbox], None],
    ) -> None:
        self._store = store
        self._clock = clock
        self._settled = settled
        self._go_on = go_on
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
            else:
                mailbox.release_lock()
        return batch

    async def _append(self, batch: Sequence[tuple[Mailbox, Entry]]) -> None:
        mailboxes = [mailbox for mailbox, _ in batch]
        entries = [entry for _, entry in batch]
        try:
            reached("before_append")
            started_at = time.perf_counter()
            is_due = self._notify.is_due(sum(len(entry.events) for entry in entries))
            outcomes = await append_for_sure(self._store, entries, is_due)
            reached("after_append")
            self._count(time.perf_counter() - started_at, mailboxes, outcomes)
            self._settle(mailboxes, outcomes)
        except StoreUnavailable as error:
            _log.warning("a batch was not written: the database says %s", error)
            self._give_up(mailboxes, TooBusy())
        except OutcomeUnknown:
            _log.error("the database is gone, and with it the outcome of a batch")
            self._give_up(mailboxes, OutcomeNotKnown())
        except Exception as error:  # the loop must go on: one command's fault is its own
            self._separate(mailboxes, error)
        for mailbox in mailboxes:
            mailbox.release_lock()
            self._settled(mailbox)
            if mailbox.group is None or mailbox.waiting:
                self._go_on(mailbox)

    def _count(
        self, seconds: float, mailboxes: Sequence[Mailbox], outcomes: Sequence[Outcome]
    ) -> None:
        APPEND_SECONDS.add(seconds)
        APPEND_COMMANDS.add(sum(m.in_flight.size for m in mailboxes if m.in_flight is not None))
        for outcome in outcomes:
            APPEND_OUTCOMES.add((type(outcome).__name__.lower(),))

    def _settle(self, mailboxes: Sequence[Mailbox], outcomes: Sequence[Outcome]) -> None:
        self._suspects = max(self._suspects - 1, 0)
        loop_time = asyncio.get_running_loop().time()
        for mailbox, outcome in zip(mailboxes, outcomes, strict=True):
            if isinstance(outcome, Appended):
                self._clock.set(outcome.recorded_at)
            mailbox.settle(outcome, loop_time)

    def _give_up(self, mailboxes: Sequence[Mailbox], error: ApiError) -> None:
        APPEND_FAILURES.add((error.code,))
        for mailbox in mailboxes:
            mailbox.give_up(error)
            mailbox.group = None

    def _separate(self, mailboxes: Sequence[Mailbox], error: Exception) -> None:
        """The batch cannot be stored as it is: find the command at fault, one by one."""
        APPEND_FAILURES.add(("not_storable",))
        if self._suspects > 0:
            _log.error("a command cannot be stored", exc_info=error)
            self._suspects -= 1
            for mailbox in mailboxes:
                mailbox.give_up(InternalError())
        else:
            _log.warning("a batch cannot be stored (%s): one by one", type(error).__name__)
            self._suspects = sum(mailbox.retry() for mailbox in mailboxes)
