"""Specifications of decisions: given events, when a command comes, then events or a refusal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.command.rules.commands import Command
from services.command.rules.decide import decide
from shared.booking_api.errors import ApiError
from shared.domain.events import Event
from shared.domain.group import Group, evolve
from tests.harness.events.ledger import NOON


@dataclass
class Given:
    """A group after the commands it was given, each of which must have been accepted."""

    group: Group
    now: datetime = NOON

    def when(self, command: Command) -> Then:
        return Then(self.group, decide(self.group, command, self.now))

    def at(self, now: datetime) -> Given:
        return Given(self.group, now)

    def then(self, command: Command, only: type[Event] | None = None) -> Given:
        """A group to which that has happened too, or only its events of one kind."""
        decision = decide(self.group, command, self.now)
        assert not isinstance(decision, ApiError), decision
        group = self.group.draft()
        for event in decision:
            if only is None or isinstance(event, only):
                evolve(group, event)
        return Given(group, self.now)


@dataclass
class Then:
    """What was decided."""

    group: Group
    decision: Sequence[Event] | ApiError

    def then(self, *kinds: type[Event]) -> list[Event]:
        """The events, which must be of these kinds."""
        assert not isinstance(self.decision, ApiError), self.decision
        assert [type(event) for event in self.decision] == list(kinds)
        return list(self.decision)

    def refused(self, kind: type[ApiError]) -> ApiError:
        """The refusal, which must be of this kind."""
        assert isinstance(self.decision, kind), self.decision
        return self.decision


def given(*commands: Command, now: datetime = NOON) -> Given:
    """A group after these commands, all at `now`."""
    group = Group(commands[0].group_id)
    for command in commands:
        decision = decide(group, command, now)
        assert not isinstance(decision, ApiError), decision
        for event in decision:
            evolve(group, event)
    return Given(group, now)
