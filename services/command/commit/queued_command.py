"""Queued command: a command with its reply's rendering, its deadline and whoever waits for it."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from services.command.commit.reply import Render, Reply
from services.command.rules.commands import Command
from shared.booking_api.errors import RetryLater
from shared.domain.events import Event
from shared.eventlog.privacy import BookingKey
from shared.eventlog.record import NewEvent
from shared.eventlog.store import CommandAnswer
from shared.runtime.ids import derived_id, new_id

SealAnswer = Callable[[UUID, Reply, bool, UUID | None], Sequence[CommandAnswer]]
"""Makes the rows that replay a reply, one for each id of the command: given the booking, the reply,
whether it is of events, and the id that the command's first event has or would have."""


@dataclass(slots=True, eq=False)
class QueuedCommand:
    """From the use case that made it to the answer, without who sent it.

    `command_id` and `seal_answer` come with an idempotency key: then event ids derive from the
    command, so that it can never happen twice. `former_id` is another id that it was known by;
    `booking_key` seals its answer. `deadline` is on the event loop's clock, `future` is there from
    `wait_until` on; an atomic commit needs neither.
    """

    command: Command
    render: Render
    booking_key: BookingKey | None = None
    command_id: UUID | None = None
    former_id: UUID | None = None
    caller_left: Callable[[], bool] | None = None
    seal_answer: SealAnswer | None = None
    deadline: float = math.inf
    future: asyncio.Future[Reply] = field(init=False, repr=False)

    def wait_until(self, deadline: float) -> None:
        """From now on somebody waits for the answer."""
        self.deadline = deadline
        self.future = asyncio.get_running_loop().create_future()

    @property
    def ids(self) -> list[UUID]:
        """What the command is known by; empty without an idempotency key."""
        return [one for one in (self.command_id, self.former_id) if one is not None]

    def is_among(self, command_ids: Collection[UUID]) -> bool:
        """Whether the command is one of these, by its id or by the one it had before."""
        return self.command_id in command_ids or self.former_id in command_ids

    def is_wanted(self, now: float) -> bool:
        """Whether someone still waits for it."""
        if self.future.done() or now >= self.deadline:
            return False
        return self.caller_left is None or not self.caller_left()

    @property
    def first_event_id(self) -> UUID | None:
        """The id that its first event has or would have; None without an idempotency key."""
        return None if self.command_id is None else derived_id(self.command_id, "0")

    def name(self, events: Sequence[Event]) -> list[NewEvent]:
        """The events with their ids."""
        who = self.command.metadata
        if self.command_id is None:
            return [NewEvent(new_id(), event, who) for event in events]
        return [
            NewEvent(derived_id(self.command_id, str(number)), event, who)
            for number, event in enumerate(events)
        ]

    def answer(self, reply: Reply) -> None:
        if not self.future.done():
            self.future.set_result(reply)

    def fail(self, error: Exception) -> None:
        if not self.future.done():
            self.future.set_exception(error)


class AnsweredBefore(Exception):
    """The command is known: its first answer is in the store."""


class OutcomeNotKnown(RetryLater):
    """It is not known whether this was carried out; ask again, with the same Idempotency-Key."""

    code = "outcome_unknown"
