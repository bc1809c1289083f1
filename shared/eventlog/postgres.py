"""PostgreSQL event store: batches go through `append()`, reads are plain statements."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from shared.domain.events import Event
from shared.domain.group import Group, evolve
from shared.eventlog import snapshot
from shared.eventlog.append_connection import AppendConnection
from shared.eventlog.chain import canonical_metadata, leaf
from shared.eventlog.codec import UndecodableEvent, decode_event, encode_event
from shared.eventlog.follower import records
from shared.eventlog.group_locks import GroupLocks
from shared.eventlog.record import BookingKeyRow, StoredRecord
from shared.eventlog.statements import statement
from shared.eventlog.store import (
    Answered,
    Appended,
    BookingHistory,
    Confirmed,
    Conflict,
    Entry,
    GroupLock,
    MissingEvent,
    Outcome,
    OutcomeUnknown,
    StoredAnswer,
    StoreUnavailable,
)
from shared.runtime.postgres import CONNECTION_LOST, Pool

NO_EVENT = UUID(int=0)
FOLD_AT_ONCE = 1_000
_log = logging.getLogger(__name__)
UNAVAILABLE = (
    OSError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    *CONNECTION_LOST,
)
"""What says that the database cannot be asked now, and nothing about the question."""


class PostgresEventStore:
    """Appends on a connection of its own, reads through the pool."""

    def __init__(self, pool: Pool, append_dsn: str) -> None:
        self._pool = pool
        self._writer = AppendConnection(append_dsn)
        self._locks = GroupLocks(append_dsn)

    async def append(self, entries: Sequence[Entry], wake_followers: bool = True) -> list[Outcome]:
        """One outcome per entry, in order; all groups' events in one commit.

        Raises OutcomeUnknown or StoreUnavailable. Calls must not overlap.
        """
        rows = await self._writer.fetch(statement("append"), *arguments(entries, wake_followers))
        return read_outcomes(rows, len(entries))

    async def append_atomically(
        self, entries: Sequence[Entry], wake_followers: bool = True
    ) -> list[Outcome]:
        """As `append`, but all or nothing: a `Conflict` or `Answered` among the outcomes means that
        none of the entries was written."""
        sql = statement("append_atomically")
        rows = await self._writer.fetch(sql, *arguments(entries, wake_followers))
        return read_outcomes(rows, len(entries))

    async def take_lock(self, group_id: UUID, after: int) -> GroupLock | None:
        """The group's lock, with the events the caller lacks; None when it cannot be had."""
        return await self._locks.take(group_id, after)

    async def read_group(self, group_id: UUID) -> tuple[Group, int]:
        """The group as its events make it, and the version of the snapshot that helped, or 0."""
        group = await self._snapshot(group_id) or Group(group_id)
        snapshot_version = group.version
        rows = await self._fetch(statement("read_stream"), group_id, group.version)
        for number, (_, topic, state) in enumerate(rows, 1):
            evolve(group, decode_event(topic, state))
            if number % FOLD_AT_ONCE == 0:
                await asyncio.sleep(0)
        return group, snapshot_version

    async def _snapshot(self, group_id: UUID) -> Group | None:
        rows = await self._fetch(statement("read_snapshot"), group_id, snapshot.TOPIC)
        if not rows:
            return None
        version, state, event_hash = rows[0]
        try:
            return snapshot.decode_snapshot(group_id, version, event_hash, state)
        except snapshot.UnreadableSnapshot as error:
            _log.warning("snapshot of group %s ignored: %s", group_id, error)
            return None

    async def save_snapshot(self, group_id: UUID, version: int, state: bytes) -> None:
        """Keep a snapshot of the group at this version, instead of older ones."""
        await self._fetch(statement("save_snapshot"), group_id, version, snapshot.TOPIC, state)

    async def read_stream(self, group_id: UUID, after: int = 0) -> list[Any]:
        """The group's events with version > `after`, in order; UndecodableEvent on a poison one."""
        rows = await self._fetch(statement("read_stream"), group_id, after)
        return [decode_event(row[1], row[2]) for row in rows]

    async def find_booking(self, booking_id: UUID) -> BookingHistory | None:
        """A booking's own events, its group and its key, from the log; None if there is none."""
        rows = await self._fetch(statement("find_booking"), booking_id)
        if not rows:
            return None
        events = [decode_event(row[1], row[2]) for row in rows]
        return BookingHistory(booking_id, rows[0][0], events, rows[0][3])

    async def find_existing(self, booking_ids: Sequence[UUID]) -> list[UUID]:
        """Those of the bookings that were ever booked, in the order given."""
        rows = await self._fetch(statement("find_existing"), list(booking_ids))
        return [row[0] for row in rows]

    async def find_group(self, group_id: UUID) -> dict[UUID, BookingHistory]:
        """The group's own history and its seat bookings', by booking id, in creation order."""
        found: dict[UUID, BookingHistory] = {}
        rows = await self._fetch(statement("find_group"), group_id)
        for booking_id, topic, state, wrapped_key in rows:
            event = decode_event(topic, state)
            known = found.get(booking_id)
            events = [event] if known is None else [*known.events, event]
            found[booking_id] = BookingHistory(booking_id, group_id, events, wrapped_key)
        return found

    async def find_answer(self, command_id: UUID) -> StoredAnswer | None:
        """The kept answer to a command, None if there is none (or none any more)."""
        rows = await self._fetch(statement("find_answer"), command_id)
        return StoredAnswer(*rows[0]) if rows else None

    async def find_events(self, event_ids: Sequence[UUID]) -> list[StoredRecord]:
        """What stands in the log under these ids: asked on the append connection, so that its
        barrier was committed before."""
        return records(await self._writer.fetch(statement("find_events"), list(event_ids)))

    async def forget_former_answer(self, command_id: UUID) -> None:
        """An answer that lies there under its command's former id makes room."""
        await self._fetch(statement("forget_former_answer"), command_id)

    async def find_former_answer(
        self, command_id: UUID, event_id: UUID
    ) -> tuple[StoredAnswer | None, str | None]:
        """The kept answer to a command, and who caused its first event, as of one moment."""
        [row] = await self._fetch(statement("find_former_answer"), command_id, event_id)
        return None if row[0] is None else StoredAnswer(*row[:4]), row[4]

    async def now(self) -> datetime:
        """The database's clock."""
        rows = await self._fetch("SELECT clock_timestamp()")
        moment: datetime = rows[0][0]
        return moment

    async def close(self) -> None:
        await self._locks.close()
        await self._writer.close()

    async def _fetch(self, sql: str, *parameters: object) -> Sequence[asyncpg.Record]:
        try:
            return await self._pool.fetch(sql, *parameters, timeout=5)
        except UNAVAILABLE as error:
            raise StoreUnavailable(type(error).__name__) from error


def arguments(entries: Sequence[Entry], wake_followers: bool) -> Iterator[object]:
    """The parameters of `append()`, in its order: one array a column."""
    yield [entry.group_id for entry in entries]
    yield [entry.expected_version for entry in entries]
    yield [len(entry.events) for entry in entries]
    yield from _event_columns(entries)
    yield from _key_columns(entries)
    yield from _answer_columns(entries)
    yield wake_followers


def _event_columns(entries: Sequence[Entry]) -> Sequence[list[Any]]:
    topics: list[str] = []
    states: list[bytes] = []
    ids: list[str] = []  # as text: the driver looks long at array elements of other types
    bookings: list[str] = []
    metadata: list[str] = []
    leaves: list[bytes] = []
    for entry in entries:
        for version, new in enumerate(entry.events, entry.expected_version + 1):
            event, who = new.event, canonical_metadata(new.metadata)
            state = encode_event(event)
            topics.append(event.TOPIC)
            states.append(state)
            ids.append(str(new.event_id))
            bookings.append(str(event.booking_id))
            metadata.append(who)
            leaves.append(
                leaf(
                    entry.group_id, version, event.TOPIC, state, new.event_id, event.booking_id, who
                )
            )
    return topics, states, ids, bookings, metadata, leaves


def _key_columns(entries: Sequence[Entry]) -> Sequence[list[Any]]:
    rows = [(number, key) for number, entry in enumerate(entries, 1) for key in entry.keys]
    return (
        [number for number, _ in rows],
        [str(key.booking_id) for _, key in rows],
        [key.wrapped_key for _, key in rows],
        [_refs(key) for _, key in rows],
    )


def _refs(key: BookingKeyRow) -> bytes | None:
    """The customer's hash with the attendees' behind it, which a trigger parts."""
    if not key.attendee_refs or key.customer_ref is None:
        return key.customer_ref
    return key.customer_ref + b"".join(key.attendee_refs)


def _answer_columns(entries: Sequence[Entry]) -> Sequence[list[Any]]:
    rows = [(number, answer) for number, entry in enumerate(entries, 1) for answer in entry.answers]
    return (
        [number for number, _ in rows],
        [answer.command_id for _, answer in rows],
        [answer.first_event_id or NO_EVENT for _, answer in rows],
        [answer.booking_id for _, answer in rows],
        [answer.request_hash for _, answer in rows],
        [answer.answer for _, answer in rows],
    )


def read_outcomes(rows: Sequence[asyncpg.Record], count: int) -> list[Outcome]:
    """What `append()` answered, one outcome per entry; OutcomeUnknown if an entry has none."""
    outcomes: dict[int, Outcome] = {}
    missing: dict[int, list[MissingEvent]] = {}
    answered: dict[int, set[UUID]] = {}
    unreadable: set[int] = set()
    for entry, outcome, version, position, at, topic, state, event_id in rows:
        if outcome == "appended":
            outcomes[entry] = Appended(version, position, at)
        elif outcome == "confirmed":
            outcomes[entry] = Confirmed(version)
        elif outcome == "conflict":
            outcomes[entry] = Conflict(version, missing.setdefault(entry, []))
        elif outcome == "missing":
            if entry not in unreadable and (event := _readable(topic, state)) is not None:
                missing[entry].append(MissingEvent(event_id, event, version, position, at))
            else:  # `missing` ends here, and reading the stream will say why
                unreadable.add(entry)
        else:
            answered.setdefault(entry, set()).add(event_id)
            outcomes[entry] = Answered(version, frozenset(answered[entry]))
    if len(outcomes) != count:
        raise OutcomeUnknown("append() did not answer for every entry")
    return [outcomes[number] for number in range(1, count + 1)]


def _readable(topic: str, state: bytes) -> Event | None:
    try:
        return decode_event(topic, state)
    except UndecodableEvent:
        return None
