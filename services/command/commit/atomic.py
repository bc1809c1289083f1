"""Atomic commits: commands over any number of groups that are carried out all or not at all.

The groups are read after the commands came, so a refusal needs no further confirmation. Mailboxes
know nothing of it: for them it is another writer, whose events they catch up with (decision 0022).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from services.command.commit.batch import Batch
from services.command.commit.clock import DatabaseClock
from services.command.commit.queued_command import AnsweredBefore, OutcomeNotKnown, QueuedCommand
from services.command.commit.reply import Reply
from services.command.commit.unknown_outcome import append_for_sure
from services.command.rules.commands import CreateGroup
from services.command.rules.decide import decide
from services.command.rules.refusals import turned_away
from shared.booking_api.errors import ApiError, TooBusy
from shared.booking_api.reading.validation import failed
from shared.domain.group import Group, evolve, fold
from shared.eventlog.store import (
    Answered,
    Appended,
    CommandAnswer,
    Conflict,
    Entry,
    EventStore,
    Outcome,
    OutcomeUnknown,
    StoreUnavailable,
)

MAX_ATTEMPTS = 50
MAX_EVENTS = 1_000


@dataclass(frozen=True, slots=True)
class Refused(Exception):
    """Nothing happened; `errors` by the number of the command that was refused."""

    errors: dict[int, ApiError]


class AtomicCommit:
    """One such batch after another, on a store of its own: so none delays the appender."""

    def __init__(self, store: EventStore, clock: DatabaseClock) -> None:
        self._store = store
        self._clock = clock
        self._one_at_a_time = asyncio.Lock()

    async def commit(self, commands: Sequence[QueuedCommand]) -> list[Reply]:
        """The replies, once all is durable. Refused when one of the commands is; AnsweredBefore
        when one of them is known, TooBusy when others were faster every time."""
        async with self._one_at_a_time:
            groups = await self._groups(commands)
            for _ in range(MAX_ATTEMPTS):
                batches = _decided(groups, commands, self._clock.now())
                outcomes = await self._append(groups, batches)
                if all(not isinstance(one, Conflict | Answered) for one in outcomes):
                    return _replies(commands, batches, outcomes)
                if any(isinstance(one, Answered) for one in outcomes):
                    raise AnsweredBefore
                await self._catch_up(groups, batches, outcomes)
            raise TooBusy

    async def claim(self, answer: CommandAnswer) -> bool:
        """Whether the command was unknown; from now on it is known, by this answer. TooBusy too."""
        async with self._one_at_a_time:
            [outcome] = await self._append_entries([Entry(answer.command_id, 0, answers=[answer])])
        return not isinstance(outcome, Answered)

    async def _groups(self, commands: Sequence[QueuedCommand]) -> dict[UUID, Group]:
        new = {one.command.group_id for one in commands if isinstance(one.command, CreateGroup)}
        groups = {group_id: Group(group_id) for group_id in new}
        for group_id in dict.fromkeys(one.command.group_id for one in commands):
            if group_id not in groups:
                groups[group_id] = await self._read(group_id)
        return groups

    async def _read(self, group_id: UUID) -> Group:
        return fold(group_id, await self._store.read_stream(group_id))

    async def _append(self, groups: dict[UUID, Group], batches: dict[UUID, Batch]) -> list[Outcome]:
        return await self._append_entries(
            [batch.entry(groups[group_id].version) for group_id, batch in batches.items()]
        )

    async def _append_entries(self, entries: Sequence[Entry]) -> list[Outcome]:
        try:
            return await append_for_sure(self._store, entries, append=self._store.append_atomically)
        except OutcomeUnknown:
            raise OutcomeNotKnown from None
        except StoreUnavailable:
            raise TooBusy from None

    async def _catch_up(
        self, groups: dict[UUID, Group], batches: dict[UUID, Batch], outcomes: Sequence[Outcome]
    ) -> None:
        for group_id, outcome in zip(batches, outcomes, strict=True):
            if not isinstance(outcome, Conflict):
                continue
            group = groups[group_id]
            for missing in outcome.missing:
                if missing.version == group.version + 1:
                    evolve(group, missing.event)
            if group.version != outcome.version:
                groups[group_id] = await self._read(group_id)


def _decided(
    groups: dict[UUID, Group], commands: Sequence[QueuedCommand], now: datetime
) -> dict[UUID, Batch]:
    """What the commands add up to, by group; Refused with every refusal there is."""
    batches: dict[UUID, Batch] = {}
    errors: dict[int, ApiError] = {}
    for number, queued in enumerate(commands):
        group_id = queued.command.group_id
        batch = batches.setdefault(group_id, Batch(groups[group_id].draft()))
        decision = decide(batch.draft, queued.command, now)
        if isinstance(decision, ApiError):
            errors[number] = turned_away(batch.draft, queued.command, decision)
        else:
            batch.add(queued, decision)
    if not errors and sum(len(batch.events) for batch in batches.values()) > MAX_EVENTS:
        errors[0] = failed("bookings", f"must not lead to more than {MAX_EVENTS} events at once")
    if errors:
        raise Refused(errors)
    return batches


def _replies(
    commands: Sequence[QueuedCommand], batches: dict[UUID, Batch], outcomes: Sequence[Outcome]
) -> list[Reply]:
    position = max((one.position for one in outcomes if isinstance(one, Appended)), default=None)
    replies = {queued: reply for batch in batches.values() for queued, reply in batch.replies}
    return [replace(replies[queued], position=position) for queued in commands]
