"""Mailbox: the queue and state of one group, whose commands are decided in batches.

Decisions are made on a draft: it is merged once the append is durable and dropped on a conflict,
after which the same commands are decided again. Nothing here makes a booking safe, the database
does; a mailbox only makes it fast.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from services.command.commit.batch import Batch
from services.command.commit.queued_command import AnsweredBefore, QueuedCommand
from services.command.rules.decide import decide
from services.command.rules.event_fields import Outdated
from shared.booking_api.errors import InternalError, TooBusy
from shared.domain.group import Group, evolve
from shared.eventlog.store import (
    Answered,
    Appended,
    Confirmed,
    Conflict,
    Entry,
    GroupLock,
    MissingEvent,
    Outcome,
)

MAX_BATCH = 256
MAX_WAITING = 5_000
CONTENDED_SECONDS = 1.0
_log = logging.getLogger(__name__)


class Mailbox:
    """One group's waiting commands and its state. `group` is None until it was loaded.

    `contended_until`, on the event loop's clock: another process wrote to the group not long
    before. `lock`: what keeps others from writing while a batch of ours is under way.
    """

    __slots__ = (
        "contended_until",
        "group",
        "group_id",
        "in_flight",
        "lock",
        "snapshot_version",
        "waiting",
    )

    def __init__(self, group_id: UUID) -> None:
        self.group_id = group_id
        self.group: Group | None = None
        self.waiting: deque[QueuedCommand] = deque()
        self.in_flight: Batch | None = None
        self.contended_until = 0.0
        self.lock: GroupLock | None = None
        self.snapshot_version = 0

    @property
    def is_idle(self) -> bool:
        return not self.waiting and self.in_flight is None and self.lock is None

    def put(self, queued: QueuedCommand) -> None:
        """Queue a command; TooBusy when too many wait already."""
        if len(self.waiting) >= MAX_WAITING:
            raise TooBusy
        self.waiting.append(queued)

    def prepare(self, now: datetime, loop_time: float, limit: int = MAX_BATCH) -> Entry | None:
        """Decide up to `limit` waiting commands; the entry to append, or None if none is wanted."""
        if self.group is None or self.in_flight is not None:
            return None
        batch = Batch(self.group.draft())
        while self.waiting and batch.size < limit:
            queued = self.waiting.popleft()
            if not queued.is_wanted(loop_time):
                queued.fail(TooBusy())
            elif not self._decide(batch, queued, now):
                batch = Batch(self.group.draft())
        if not batch.size:
            return None
        self.in_flight = batch
        return batch.entry(self.group.version)

    def _decide(self, batch: Batch, queued: QueuedCommand, now: datetime) -> bool:
        """False after a bug: the batch is spoilt, and its other commands wait again."""
        try:
            batch.add(queued, decide(batch.draft, queued.command, now))
        except Outdated as error:
            batch.put_off(queued, error)
        except Exception:
            _log.exception("a command failed", extra={"group_id": str(self.group_id)})
            queued.fail(InternalError())
            self._put_back(batch)
            return False
        return True

    def settle(self, outcome: Outcome, loop_time: float) -> bool:
        """Take the store's answer; False when the group must be read again before going on."""
        batch, self.in_flight = self.in_flight, None
        if batch is None or self.group is None:
            raise RuntimeError("nothing was in flight")
        if isinstance(outcome, Appended | Confirmed):
            self.group.merge(batch.draft)
            batch.send(outcome.position if isinstance(outcome, Appended) else None)
            return True
        return self._again(batch, outcome, loop_time)

    def give_up(self, error: Exception) -> None:
        """Fail what is in flight: nothing of it was written, or nobody can know."""
        batch, self.in_flight = self.in_flight, None
        for queued in batch.commands if batch is not None else ():
            queued.fail(error)

    def retry(self) -> int:
        """Nothing of what is in flight was written: decide it again. How many commands."""
        batch, self.in_flight = self.in_flight, None
        if batch is None:
            return 0
        self._put_back(batch)
        return len(batch.commands)

    def fail_waiting(self, error: Exception) -> None:
        """Fail what waits: the group cannot be loaded."""
        while self.waiting:
            self.waiting.popleft().fail(error)

    def drop_late(self, loop_time: float) -> None:
        """Answer those whose time is up before they were decided; the first ones are the oldest."""
        while self.waiting and not self.waiting[0].is_wanted(loop_time):
            self.waiting.popleft().fail(TooBusy())

    def take_lock(self, lock: GroupLock, loop_time: float) -> None:
        """No other process that takes locks writes now; `lock.missing` is what the last ones did"""
        self.lock = lock
        if lock.missing:
            self.contended_until = loop_time + CONTENDED_SECONDS
            self.catch_up(lock.missing)

    def release_lock(self) -> None:
        """Let another process write."""
        lock, self.lock = self.lock, None
        if lock is not None:
            lock.end()

    def catch_up(self, missing: Sequence[MissingEvent]) -> None:
        """Fold what others appended, as far as it follows on what is known."""
        for one in missing:
            if self.group is not None and one.version == self.group.version + 1:
                evolve(self.group, one.event)

    def _put_back(self, batch: Batch) -> None:
        self.waiting.extendleft(
            queued for queued in reversed(batch.commands) if not queued.future.done()
        )

    def _again(self, batch: Batch, outcome: Conflict | Answered, loop_time: float) -> bool:
        if isinstance(outcome, Answered):
            for queued in batch.commands:
                if queued.is_among(outcome.command_ids):
                    queued.fail(AnsweredBefore())
        else:
            self.contended_until = loop_time + CONTENDED_SECONDS
            self.catch_up(outcome.missing)
        self._put_back(batch)
        if self.group is None or self.group.version != outcome.version:
            self.group = None
        return self.group is not None
