"""Reads that are never stale: what is answered was asked of the ledger after the request came.

One statement, shared by all GETs that wait for it, says how far each group's stream is. An answer
kept for that very version is fresh; any other is fetched, and the few events that are not projected
yet are folded in, so that nobody waits for the projector. Answers made of many rows wait until the
log's position is projected: bounded, then 503 (decision 0006).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

import asyncpg

from services.query.projection.read_models.attendees import SeatRow
from services.query.projection.schema import session_settings
from services.query.reads.catch_up import FreshGroup, fetch_groups, fetch_seats
from services.query.reads.coalescing import Coalescer
from shared.booking_api.errors import NotFreshYet, Parked, RetryLater
from shared.eventlog.privacy import MasterKey
from shared.eventlog.statements import statements_of
from shared.runtime.postgres import DATABASE_ERRORS, Connection

sql = statements_of(__package__)

STATEMENT_SECONDS = 2.0
WAIT_SECONDS = 5.0
POLL_SECONDS = 0.003
STALE_SECONDS = 0.5
"""How old an answer to `Prefer: stale` may be: half of what is promised."""
MAX_GROUPS = 10_000


class Lookup(NamedTuple):
    """A booking to look up; `group_id` where the caller knows it."""

    booking_id: UUID
    group_id: UUID | None


@dataclass(frozen=True, slots=True)
class Positions:
    """Where the log was, and how far it was projected, in one statement."""

    head: int
    projected: int


@dataclass(frozen=True, slots=True)
class FreshBooking:
    """A booking as it is: a group, or (`seat`) one of its seat bookings.

    `head` is the log's position when it was asked, `age_seconds` how long ago that was. Of a
    booking that `is_parked` nothing may be shown but that it is.
    """

    group: FreshGroup
    seat: SeatRow | None
    head: int
    age_seconds: float = 0.0
    is_parked: bool = False


Answer = FreshBooking | Parked | Positions | None
_POSITIONS_ONLY = Lookup(UUID(int=0), UUID(int=0))


class FreshReads:
    """Answers about single bookings; and waits for the projection on behalf of larger answers."""

    def __init__(self, dsn: str, master: MasterKey) -> None:
        self._dsn = dsn
        self._master = master
        self._connection: Connection | None = None
        self._groups: dict[UUID, FreshGroup] = {}
        self._lookups: Coalescer[Lookup, Answer] = Coalescer(self._ask)

    async def booking(self, booking_id: UUID) -> FreshBooking | None:
        """A group or seat booking as it is; None when there is none. RetryLater when unsure."""
        return _booking(await self._lookups.get(Lookup(booking_id, None)))

    async def group(self, group_id: UUID) -> FreshBooking | None:
        """As `booking`, of an id that can only be a group's."""
        return _booking(await self._lookups.get(Lookup(group_id, group_id)))

    def ask_group(self, group_id: UUID) -> asyncio.Future[Answer]:
        """What `group` makes of it, once the ledger has been asked."""
        return self._lookups.ask(Lookup(group_id, group_id))

    def stale_group(self, group_id: UUID) -> FreshBooking | None:
        """The group as it was at most STALE_SECONDS ago, if that is still known."""
        group = self._groups.get(group_id)
        if group is None:
            return None
        age = time.monotonic() - group.checked_at
        return FreshBooking(group, None, group.head, age) if age <= STALE_SECONDS else None

    async def positions(self) -> Positions:
        """Where the log and the projection are now."""
        answer = await self._lookups.get(_POSITIONS_ONLY)
        if not isinstance(answer, Positions):
            raise NotFreshYet
        return answer

    async def until_projected(self, position: int | None = None) -> int:
        """Wait until `position` (the log's head as it is now) is projected; answers it.

        NotFreshYet past the bound. The target is fixed once, so that writers cannot starve readers.
        """
        deadline = time.monotonic() + WAIT_SECONDS
        target = position
        while True:
            now = await self.positions()
            target = now.head if target is None else target
            if now.projected >= target:
                return target
            if time.monotonic() > deadline:
                raise NotFreshYet
            await asyncio.sleep(POLL_SECONDS)

    async def until_written(self, position: int) -> None:
        """Wait until the log has `position`; NotFreshYet past the bound."""
        deadline = time.monotonic() + WAIT_SECONDS
        while (await self.positions()).head < position:
            if time.monotonic() > deadline:
                raise NotFreshYet
            await asyncio.sleep(POLL_SECONDS)

    async def close(self) -> None:
        await self._lookups.close()
        if self._connection is not None:
            self._connection.terminate()

    async def _ask(self, lookups: Sequence[Lookup]) -> Mapping[Lookup, Answer]:
        try:
            return await self._answers(lookups)
        except asyncpg.UndefinedTableError as error:
            raise NotFreshYet from error  # the projection's tables are being made
        except DATABASE_ERRORS as error:
            self._drop()
            raise RetryLater from error

    async def _answers(self, lookups: Sequence[Lookup]) -> Mapping[Lookup, Answer]:
        connection = await self._ready()
        asked_at = time.monotonic()
        rows = await connection.fetch(
            sql("ledger_versions"),
            [one.booking_id for one in lookups],
            [one.group_id for one in lookups],
        )
        positions = _positions(rows)
        found = [row for row in rows if row[0] > 0 and row[2] is not None]
        groups = await self._current(connection, {row[1]: row[2] for row in found})
        seats = await self._seats(connection, lookups, found)
        for group in groups.values():
            if isinstance(group, FreshGroup):
                group.head, group.checked_at = positions.head, asked_at
        answers: dict[Lookup, Answer] = dict.fromkeys(lookups)
        for row in found:
            lookup = lookups[row[0] - 1]
            answers[lookup] = _answer(lookup, row, groups, seats, positions)
        if _POSITIONS_ONLY in answers:
            answers[_POSITIONS_ONLY] = positions
        return answers

    async def _current(
        self, connection: Connection, versions: Mapping[UUID, int]
    ) -> dict[UUID, FreshGroup | Parked]:
        """The groups at these versions or later: those kept, and the others fetched."""
        current: dict[UUID, FreshGroup | Parked] = {}
        behind: list[UUID] = []
        for group_id, version in versions.items():
            kept = self._groups.get(group_id)
            if kept is not None and kept.version >= version:
                current[group_id] = kept
            else:
                behind.append(group_id)
        if behind:
            fetched = await fetch_groups(connection, behind, self._master)
            self._keep(fetched)
            current.update(fetched)
        return current

    async def _seats(
        self,
        connection: Connection,
        lookups: Sequence[Lookup],
        found: Iterable[asyncpg.Record],
    ) -> Mapping[UUID, SeatRow | Parked]:
        owners = {lookups[row[0] - 1].booking_id: row[1] for row in found}
        seats = {booking: group for booking, group in owners.items() if booking != group}
        return await fetch_seats(connection, seats, self._master) if seats else {}

    def _keep(self, fetched: Mapping[UUID, FreshGroup | Parked]) -> None:
        for group_id, group in fetched.items():
            self._groups.pop(group_id, None)
            if isinstance(group, FreshGroup):
                self._groups[group_id] = group
        while len(self._groups) > MAX_GROUPS:
            del self._groups[next(iter(self._groups))]

    async def _ready(self) -> Connection:
        if self._connection is None or self._connection.is_closed():
            self._connection = await asyncpg.connect(
                self._dsn,
                timeout=STATEMENT_SECONDS,
                command_timeout=STATEMENT_SECONDS,
                server_settings=session_settings(name="seatledger fresh reads"),
            )
        return self._connection

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
        self._connection = None


def _positions(rows: Iterable[asyncpg.Record]) -> Positions:
    places = {row[0]: row[2] for row in rows if row[0] <= 0}
    return Positions(places[0], places[-1])


def _answer(
    lookup: Lookup,
    row: asyncpg.Record,
    groups: Mapping[UUID, FreshGroup | Parked],
    seats: Mapping[UUID, SeatRow | Parked],
    positions: Positions,
) -> Answer:
    group = groups[row[1]]
    seat = seats.get(lookup.booking_id)
    if isinstance(group, Parked):
        return group
    if isinstance(seat, Parked):
        return FreshBooking(group, None, positions.head, is_parked=True)
    return FreshBooking(group, seat, positions.head, is_parked=row[3])


def _booking(answer: Answer) -> FreshBooking | None:
    if isinstance(answer, Parked):
        raise answer
    return answer if isinstance(answer, FreshBooking) else None
