"""Batch: commands decided against one version of a group, and the one entry that they append."""

from __future__ import annotations

from dataclasses import dataclass, field

from services.command.commit.queued_command import QueuedCommand
from services.command.commit.reply import Reply, refusal_reply
from services.command.rules.event_fields import Decision, Outdated
from services.command.rules.refusals import turned_away
from shared.booking_api.errors import ApiError
from shared.domain.group import Group, evolve
from shared.eventlog.record import BookingKeyRow, NewEvent
from shared.eventlog.store import CommandAnswer, Entry


@dataclass(slots=True)
class Batch:
    """`draft` is the group after all of it; `replies` and what is `outdated` wait for the append,
    which confirms the version that they were decided at."""

    draft: Group
    events: list[NewEvent] = field(default_factory=list)
    keys: list[BookingKeyRow] = field(default_factory=list)
    answers: list[CommandAnswer] = field(default_factory=list)
    replies: list[tuple[QueuedCommand, Reply]] = field(default_factory=list)
    outdated: list[tuple[QueuedCommand, Outdated]] = field(default_factory=list)

    @property
    def size(self) -> int:
        return max(len(self.replies) + len(self.outdated), len(self.events))

    @property
    def commands(self) -> list[QueuedCommand]:
        """All commands in it."""
        return [queued for queued, _ in (*self.replies, *self.outdated)]

    def add(self, queued: QueuedCommand, decision: Decision) -> None:
        """What a command led to, on top of the commands before it."""
        refused = isinstance(decision, ApiError)
        if isinstance(decision, ApiError):
            reply = refusal_reply(turned_away(self.draft, queued.command, decision))
        else:
            for event in decision:
                evolve(self.draft, event)
            reply = queued.render(self.draft, decision)
            self.events.extend(queued.name(decision))
            if queued.command.key is not None:
                self.keys.append(queued.command.key)
        if queued.seal_answer is not None:
            booking_id = queued.command.booking_id
            self.answers.extend(
                queued.seal_answer(booking_id, reply, not refused, queued.first_event_id)
            )
        self.replies.append((queued, reply))

    def put_off(self, queued: QueuedCommand, error: Outdated) -> None:
        """A command that was prepared from something else than this version holds: its caller
        prepares it anew, if it is not this version that is old."""
        self.outdated.append((queued, error))

    def entry(self, expected_version: int) -> Entry:
        """What to append, if the group is still at `expected_version`."""
        return Entry(self.draft.group_id, expected_version, self.events, self.keys, self.answers)

    def send(self, position: int | None) -> None:
        """Answer everyone: it is durable."""
        for queued, reply in self.replies:
            queued.answer(reply if position is None else reply.at(position))
        for queued, error in self.outdated:
            queued.fail(error)
