"""Event store port: append in batches, read a stream, find a group.

No conflict raises: `append` answers per group and keeps the other groups' events;
`append_atomically` keeps all entries or none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field
from datetime import datetime
from typing import Protocol
from uuid import UUID

from shared.domain.events import Event
from shared.domain.group import Group
from shared.domain.values import value
from shared.eventlog.record import BookingKeyRow, NewEvent, StoredRecord


@value
class CommandAnswer:
    """The first answer to a command with an idempotency key, sealed; kept with its events.

    `first_event_id` is the id that the command's first event has or would have: by it the command
    is known even when this row was pruned.
    """

    command_id: UUID
    booking_id: UUID
    request_hash: bytes
    answer: bytes
    first_event_id: UUID | None


@value
class StoredAnswer:
    """A kept answer as it lies in the store; `wrapped_key` is its booking's, None once erased."""

    booking_id: UUID
    request_hash: bytes
    answer: bytes
    wrapped_key: bytes | None


@value
class Entry:
    """One group's part of a batch: events that hold only after `expected_version`.

    Without events it confirms that the group is still at `expected_version`.
    """

    group_id: UUID
    expected_version: int
    events: Sequence[NewEvent] = ()
    keys: Sequence[BookingKeyRow] = ()
    answers: Sequence[CommandAnswer] = ()


@value
class Appended:
    """The events are durable; `position` is the last one's."""

    version: int
    position: int
    recorded_at: datetime


@value
class Confirmed:
    """The group is at the expected version, in a statement begun after the call."""

    version: int


@value
class MissingEvent:
    """An event that another writer appended."""

    event_id: UUID
    event: Event
    version: int
    position: int
    recorded_at: datetime


@value
class Conflict:
    """The group is at `version` instead; `missing` are the events after the expected version.

    `missing` may stop short of `version`, or be empty: then read the stream. It carries ids, so
    that a writer whose last outcome was unknown recognises its own events.
    """

    version: int
    missing: Sequence[MissingEvent] = field(default=())


@value
class Answered:
    """Commands of this entry were answered before: nothing of the entry was written."""

    version: int
    command_ids: frozenset[UUID]


@value
class BookingHistory:
    """What the log says of one booking: its own events in order, and its wrapped key, which is
    None once its customer was erased."""

    booking_id: UUID
    group_id: UUID
    events: Sequence[Event]
    wrapped_key: bytes | None


Outcome = Appended | Confirmed | Conflict | Answered


class OutcomeUnknown(Exception):
    """The connection died between sending and the answer: the batch may or may not be durable."""


class StoreUnavailable(Exception):
    """The event store cannot be reached; nothing was written."""


class GroupLock(Protocol):
    """A lock on a group: until `end`, no other process that takes such locks writes to it."""

    missing: Sequence[MissingEvent]

    def end(self) -> None: ...


class EventStore(Protocol):
    """What the command service needs from a log."""

    async def append(self, entries: Sequence[Entry], wake_followers: bool = True) -> list[Outcome]:
        """One outcome per entry, in order. Raises OutcomeUnknown or StoreUnavailable."""
        ...

    async def append_atomically(
        self, entries: Sequence[Entry], wake_followers: bool = True
    ) -> list[Outcome]:
        """As `append`, but all or nothing: a `Conflict` or `Answered` among the outcomes means that
        none of the entries was written."""
        ...

    async def take_lock(self, group_id: UUID, after: int) -> GroupLock | None:
        """The group's lock, with the events the caller lacks; None when it cannot be had."""
        ...

    async def find_events(self, event_ids: Sequence[UUID]) -> Sequence[StoredRecord]:
        """What durably stands in the log under these ids, whoever wrote it: after an unknown
        outcome."""
        ...

    async def read_group(self, group_id: UUID) -> tuple[Group, int]:
        """The group as its events make it, and the version of the snapshot that helped, or 0.

        Raises UndecodableEvent when an event that is needed cannot be read.
        """
        ...

    async def save_snapshot(self, group_id: UUID, version: int, state: bytes) -> None:
        """Keep a snapshot of the group at this version, instead of older ones."""
        ...

    async def read_stream(self, group_id: UUID, after: int = 0) -> list[Event]:
        """The group's events with version > `after`, in order."""
        ...

    async def find_booking(self, booking_id: UUID) -> BookingHistory | None:
        """A booking's own events, its group and its key, from the log; None if there is none."""
        ...

    async def find_answer(self, command_id: UUID) -> StoredAnswer | None:
        """The kept answer to a command, None if there is none (or none any more)."""
        ...

    async def now(self) -> datetime:
        """The store's clock."""
        ...
