"""Erasure of people: appends CustomerErased, which deletes the key in the same transaction.

Once this returns, no read model of any version shows the person. Bytes that PostgreSQL keeps in the
free space of a page go when the tables are written anew (`rewrite`).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from itertools import islice
from uuid import UUID, uuid4

from services.audit.history.found import Found
from services.audit.people.resealing import reseal_without
from shared.domain.events import CustomerErased, Event
from shared.domain.group import Group
from shared.eventlog.erasure import scrub, scrub_attendees
from shared.eventlog.postgres import PostgresEventStore
from shared.eventlog.privacy import MasterKey
from shared.eventlog.record import NewEvent
from shared.eventlog.statements import statement
from shared.eventlog.store import Appended, Entry
from shared.runtime.postgres import Pool, pool_of

EVENTS_AT_ONCE = 500
ATTEMPTS = 20
ACTOR = "operator"
_PACKAGE = "services.audit"


class NotErased(Exception):
    """Others wrote to the group again and again: nothing of it was erased; try again."""


class Eraser:
    """Appends as the command service does, so that its group decisions stay right."""

    def __init__(self, pool: Pool, store: PostgresEventStore) -> None:
        self._pool = pool
        self._store = store

    async def erase(self, bookings: Mapping[UUID, UUID], tell: Callable[[int], None]) -> int:
        """Erases each booking (by its group) that still has its key; how many had one."""
        rows = await self._pool.fetch(statement("keyed_bookings", _PACKAGE), list(bookings))
        erasable = {row[0] for row in rows}
        for group_id in dict.fromkeys(bookings.values()):
            mine = [one for one, group in bookings.items() if group == group_id]
            for part in _parts([one for one in mine if one in erasable]):
                await self._append(group_id, part)
            for booking_id in mine:
                await scrub(self._pool, booking_id, group_id)
                tell(1)
        return len(erasable)

    async def erase_attendees(self, found: Found, email: str, master: MasterKey) -> int:
        """Takes the person out of a booking that others made and that goes on; how many entries of
        it named them."""
        for _ in range(ATTEMPTS):
            group, _ = await self._store.read_group(found.group_id)
            history = await self._store.find_booking(found.booking_id)
            if history is None or history.wrapped_key is None:
                return 0
            resealed = reseal_without(email, history, master)
            if resealed is None:
                return 0
            event = resealed.event(group, await self._store.now())
            entry = Entry(found.group_id, group.version, [_new(event)], [resealed.key_row])
            [outcome] = await self._store.append([entry])
            if isinstance(outcome, Appended):
                await scrub_attendees(
                    self._pool, found.booking_id, found.group_id, resealed.remaining
                )
                return event.attendees
        raise NotErased(f"group {found.group_id} is too busy: try again")

    async def _append(self, group_id: UUID, bookings: Sequence[UUID]) -> None:
        for _ in range(ATTEMPTS):
            group, _ = await self._store.read_group(group_id)
            now = await self._store.now()
            events = [_erased(one, group, now) for one in bookings]
            [outcome] = await self._store.append([Entry(group_id, group.version, events)])
            if isinstance(outcome, Appended):
                return
        raise NotErased(f"group {group_id} is too busy: nothing more was erased, try again")

    async def clean(self, rewrite: bool) -> None:
        """Vacuums every table that held personal data; `rewrite` locks each while it is copied."""
        how = "VACUUM (FULL)" if rewrite else "VACUUM"
        async with self._pool.acquire() as connection:
            for row in await connection.fetch(statement("personal_tables", __package__)):
                await connection.execute(f"{how} {row[0]}")  # a name that the catalogue quoted
            if rewrite:
                await connection.execute("CHECKPOINT")


def _erased(booking_id: UUID, group: Group, now: datetime) -> NewEvent:
    event = CustomerErased(
        at=now,
        booking_id=booking_id,
        current_seats=group.current_seats,
        max_seats=group.settings.max_seats,
    )
    return _new(event)


def _new(event: Event) -> NewEvent:
    return NewEvent(uuid4(), event, {"actor": ACTOR})


def _parts(bookings: Iterable[UUID]) -> Iterable[list[UUID]]:
    rest = iter(bookings)
    while part := list(islice(rest, EVENTS_AT_ONCE)):
        yield part


@asynccontextmanager
async def eraser(dsn: str) -> AsyncIterator[Eraser]:
    """Ready to erase, inside the block."""
    async with pool_of(dsn, 2, command_timeout=None) as pool:
        store = PostgresEventStore(pool, dsn)
        try:
            yield Eraser(pool, store)
        finally:
            await store.close()
