"""All commands for one group, decided together: a batch is folded in memory, then appended at once.

Decisions are made on a draft: it is merged once the append is durable and dropped on a conflict,
after which the same commands are decided again. Nothing here makes a booking safe, the database
does; a mailbox only makes it fast.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from services.command.facts import Decision
from services.command.group import decide
from services.command.pending import AnsweredBefore, Pending
from services.command.reply import Reply, refusal_reply
from shared.booking_api.errors import ApiError, InternalError, TooBusy
from shared.domain.group import Group, evolve
from shared.eventlog.record import BookingKeyRow, NewEvent
from shared.eventlog.store import (
    Answered,
    Appended,
    CommandAnswer,
    Confirmed,
    Conflict,
    Entry,
    Outcome,
)

MAX_BATCH = 256
MAX_WAITING = 5_000
_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Batch:
    """Commands decided against one version of the group, and what they add up to."""

    draft: Group
    events: list[NewEvent] = field(default_factory=list)
    keys: list[BookingKeyRow] = field(default_factory=list)
    answers: list[CommandAnswer] = field(default_factory=list)
    replies: list[tuple[Pending, Reply]] = field(default_factory=list)

    def add(self, pending: Pending, decision: Decision) -> None:
        """What a command led to, on top of the commands before it."""
        first: UUID | None = None
        if isinstance(decision, ApiError):
            reply = refusal_reply(decision)
        else:
            for event in decision:
                evolve(self.draft, event)
            reply = pending.render(self.draft, decision)
            new = pending.name(decision)
            first = new[0].event_id if new else None
            self.events.extend(new)
            if pending.command.key is not None:
                self.keys.append(pending.command.key)
        if pending.seal_answer is not None:
            self.answers.append(pending.seal_answer(pending.command.booking_id, reply, first))
        self.replies.append((pending, reply))

    def entry(self, expected_version: int) -> Entry:
        return Entry(self.draft.group_id, expected_version, self.events, self.keys, self.answers)


class Mailbox:
    """One group's waiting commands and its state. `group` is None until it was loaded."""

    __slots__ = ("conflicts", "group", "group_id", "in_flight", "waiting")

    def __init__(self, group_id: UUID) -> None:
        self.group_id = group_id
        self.group: Group | None = None
        self.waiting: deque[Pending] = deque()
        self.in_flight: Batch | None = None
        self.conflicts = 0

    @property
    def is_idle(self) -> bool:
        return not self.waiting and self.in_flight is None

    def put(self, pending: Pending) -> None:
        """Queue a command; TooBusy when too many wait already."""
        if len(self.waiting) >= MAX_WAITING:
            raise TooBusy
        self.waiting.append(pending)

    def prepare(self, now: datetime, loop_time: float, limit: int = MAX_BATCH) -> Entry | None:
        """Decide up to `limit` waiting commands; the entry to append, or None if none is wanted."""
        if self.group is None or self.in_flight is not None:
            return None
        batch = Batch(self.group.draft())
        while self.waiting and len(batch.replies) < limit and len(batch.events) < limit:
            pending = self.waiting.popleft()
            if not pending.is_wanted(loop_time):
                pending.fail(TooBusy())
            elif not self._decide(batch, pending, now):
                batch = Batch(self.group.draft())
        if not batch.replies:
            return None
        self.in_flight = batch
        return batch.entry(self.group.version)

    def _decide(self, batch: Batch, pending: Pending, now: datetime) -> bool:
        """False after a bug: the batch is spoilt, and its other commands wait again."""
        try:
            batch.add(pending, decide(batch.draft, pending.command, now))
        except Exception:
            _log.exception("a command failed", extra={"group_id": str(self.group_id)})
            pending.fail(InternalError())
            self._put_back(batch)
            return False
        return True

    def settle(self, outcome: Outcome) -> bool:
        """Take the store's answer; False when the group must be read again before going on."""
        batch, self.in_flight = self.in_flight, None
        if batch is None or self.group is None:
            raise RuntimeError("nothing was in flight")
        if isinstance(outcome, Appended | Confirmed):
            self.conflicts = 0
            self.group.merge(batch.draft)
            _send(batch.replies, outcome.position if isinstance(outcome, Appended) else None)
            return True
        return self._again(batch, outcome)

    def give_up(self, error: Exception) -> None:
        """Fail what is in flight: nothing of it was written, or nobody can know."""
        batch, self.in_flight = self.in_flight, None
        for pending, _ in batch.replies if batch is not None else ():
            pending.fail(error)

    def retry(self) -> int:
        """Nothing of what is in flight was written: decide it again. How many commands."""
        batch, self.in_flight = self.in_flight, None
        if batch is None:
            return 0
        self._put_back(batch)
        return len(batch.replies)

    def _put_back(self, batch: Batch) -> None:
        self.waiting.extendleft(
            pending for pending, _ in reversed(batch.replies) if not pending.future.done()
        )

    def fail_waiting(self, error: Exception) -> None:
        """Fail what waits: the group cannot be loaded."""
        while self.waiting:
            self.waiting.popleft().fail(error)

    def _again(self, batch: Batch, outcome: Conflict | Answered) -> bool:
        if isinstance(outcome, Answered):
            for pending, _ in batch.replies:
                if pending.command_id in outcome.command_ids:
                    pending.fail(AnsweredBefore())
        else:
            self.conflicts += 1
            self._catch_up(outcome)
        self._put_back(batch)
        if self.group is None or self.group.version != outcome.version:
            self.group = None
        return self.group is not None

    def _catch_up(self, conflict: Conflict) -> None:
        for missing in conflict.missing:
            if self.group is not None and missing.version == self.group.version + 1:
                evolve(self.group, missing.event)


def _send(replies: Iterable[tuple[Pending, Reply]], position: int | None) -> None:
    for pending, reply in replies:
        pending.answer(reply if position is None else replace(reply, position=position))
