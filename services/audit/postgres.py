"""Ledger reader for auditors: short SQL statements, page after page, bounded by a position.

Any role that may read the tables can use it. It locks nothing, and holds no snapshot longer than a
page takes, so writers never wait. Only `LedgerWriter` writes: it fills a ledger from an export.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg

from services.audit.copy_format import COLUMNS, END, SIGNATURE
from services.audit.findings import Head
from shared.eventlog.follower import records
from shared.eventlog.record import StoredRecord
from shared.eventlog.statements import statement
from shared.runtime.postgres import Connection, connected

PAGE = 5_000
COPY_PAGE = 20_000
_PACKAGE = "services.audit"
Rows = Sequence[Any]
Take = Callable[[bytes], object]
KeyRow = tuple[UUID, UUID, bytes, bytes | None]
"""`customer_ref` comes with the attendees' refs behind it, as `append()` takes it."""
Place = tuple[int, bytes]
"""A position and the chain's hash there."""
_KEY_COLUMNS = ("booking_id", "group_id", "wrapped_key", "customer_ref")
FIRST_ID, LAST_ID = UUID(int=0), UUID(int=(1 << 128) - 1)


class LedgerMoved(Exception):
    """The ledger does not end where the events to bring in begin."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Checked events in COPY's form, the place they follow and the place they lead to."""

    before: Place
    rows: bytes
    after: Place


class Ledger:
    """The ledger behind one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def head(self) -> Head:
        """Where the log stands now."""
        rows = await self._fetch("head")
        return Head(*rows[0]) if rows else Head(0, b"", 1)

    async def keys_without_events(self) -> int:
        """How many bookings have a key but no event."""
        return int((await self._fetch("keys_without_events"))[0][0])

    async def group_of(self, booking_id: UUID) -> UUID | None:
        """The group of a booking of either kind; None when the log knows no such booking."""
        rows = await self._fetch("group_of", booking_id)
        return rows[0][0] if rows else None

    async def stream(self, group_id: UUID) -> list[StoredRecord]:
        """A group's rows, in order."""
        return records(await self._fetch("stream", group_id))

    async def events_of(self, booking_id: UUID) -> list[StoredRecord]:
        """The rows that name a booking, in order."""
        return records(await self._fetch("events_of", booking_id))

    async def hash_at(self, position: int) -> bytes | None:
        """The chain's hash after the event at `position`; None where there is none."""
        rows = await self._fetch("hash_at", position)
        return rows[0][0] if rows else None

    async def copy_log(self, after: int, until: int, take: Take) -> None:
        """Gives `take` the chunks with `after` < position <= `until`, in order."""
        for first in range(after, until, COPY_PAGE):
            await self._copy("log_copy", take, first, min(first + COPY_PAGE, until))

    async def copy_streams(
        self, first: UUID, last: UUID, until: int, with_events: bool, take: Take
    ) -> None:
        """Gives `take` the chunks of the groups from `first` to `last`, one after the other."""
        await self._copy("streams_copy", take, first, last, until, with_events)

    def stream_pages(
        self, until: int, first: UUID = FIRST_ID, last: UUID = LAST_ID
    ) -> AsyncGenerator[Rows, None]:
        """Rows of `streams_page.sql` with position <= `until`, group by group from `first` on."""
        return self._pages(
            "streams_page",
            lambda row: (*((row[0], row[1]) if row else (first, 0)), until, last),
        )

    async def followers_ahead(self) -> list[tuple[str, int, int]]:
        """(name, checkpoint, the log's end) of followers that are past the log's end."""
        return [tuple(row) for row in await self._fetch("followers_ahead")]

    async def app_id(self, slug: str) -> UUID | None:
        """The app with this slug."""
        rows = await self._fetch("app_id", slug)
        return rows[0][0] if rows else None

    async def bookings_of(
        self, customer_refs: Sequence[bytes], attendee_ref: bytes, app_id: UUID | None
    ) -> list[tuple[UUID, UUID]]:
        """(booking, group) that may name a person who was not erased, of one app or all."""
        rows = await self._fetch("bookings_of", list(customer_refs), attendee_ref, app_id)
        return [tuple(row) for row in rows]

    async def unindexed(self) -> int:
        """How many bookings have attendees who cannot be searched for, as far as one knows."""
        return int((await self._fetch("unindexed_count"))[0][0])

    async def wrapped_keys(self, booking_ids: Sequence[UUID]) -> dict[UUID, bytes]:
        """The bookings' keys, of those that were not erased."""
        rows = await self._fetch("wrapped_keys", list(booking_ids))
        return {row[0]: row[1] for row in rows}

    def filtered_pages(self, *wanted: object) -> AsyncGenerator[Rows, None]:
        """Rows of `filtered_page.sql`; `wanted` are its app, times, topic and actor, or None."""
        return self._pages("filtered_page", lambda last: (last[0] if last else 0, *wanted))

    def key_pages(self) -> AsyncGenerator[Rows, None]:
        """Rows of `keys_page.sql`, all of them."""
        return self._pages("keys_page", lambda last: (last[0] if last else UUID(int=0),))

    async def _pages(
        self, name: str, place: Callable[[Any], tuple[object, ...]]
    ) -> AsyncGenerator[Rows, None]:
        """Page after page; the server makes the next one while this one is looked at."""
        page = await self._fetch(name, *place(None), PAGE)
        while page:
            following = asyncio.create_task(self._fetch(name, *place(page[-1]), PAGE))
            await asyncio.sleep(0)  # the request leaves before this page is looked at
            try:
                yield page
                page = await following
            except GeneratorExit:  # nobody wants the next page: let it arrive, unread
                with suppress(asyncpg.PostgresError, asyncpg.InterfaceError):
                    await following
                raise

    async def _copy(self, name: str, take: Take, *arguments: object) -> None:
        """The statement's rows; what `take` raises is raised, and the rest not taken.

        The driver would wait for ever when its sink raises after the last byte has arrived.
        """
        failures: list[Exception] = []

        async def output(chunk: bytes) -> None:
            if not failures:
                try:
                    take(bytes(chunk))
                except Exception as error:
                    failures.append(error)

        query = statement(name, _PACKAGE)
        await self._connection.copy_from_query(query, *arguments, output=output, format="binary")
        for failure in failures:
            raise failure

    async def _fetch(self, name: str, *arguments: object) -> list[asyncpg.Record]:
        return await self._connection.fetch(statement(name, _PACKAGE), *arguments)


class LedgerWriter:
    """Brings checked events into a ledger that ends exactly where they begin."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def head(self) -> Head:
        return await Ledger(self._connection).head()

    async def add(self, batch: Batch) -> None:
        """The batch and the head's move, in one transaction; LedgerMoved when it does not fit."""
        async with self._connection.transaction():
            place = statement("move_head", _PACKAGE), *batch.before, *batch.after
            if not await self._connection.fetchval(*place):
                raise LedgerMoved("the ledger holds other events, or somebody else writes to it")
            await self._connection.copy_to_table(
                "stored_events", source=_framed(batch.rows), columns=COLUMNS, format="binary"
            )

    async def add_keys(self, rows: Sequence[KeyRow]) -> int:
        """Booking keys that are not there yet; how many that were."""
        known = await self._connection.fetch(
            statement("keyed_bookings", _PACKAGE), [row[0] for row in rows]
        )
        there = {row[0] for row in known}
        new = [row for row in rows if row[0] not in there]
        await self._connection.copy_records_to_table(
            "booking_keys", records=new, columns=_KEY_COLUMNS
        )
        return len(new)


async def _framed(rows: bytes) -> AsyncIterator[bytes]:
    """Not a file, which the driver would read by threads and keep until garbage is collected."""
    for part in (SIGNATURE, rows, END):
        yield part


@asynccontextmanager
async def open_writer(dsn: str) -> AsyncIterator[LedgerWriter]:
    """A ledger to bring events into."""
    async with connected(dsn) as connection:
        yield LedgerWriter(connection)


@asynccontextmanager
async def open_ledger(dsn: str) -> AsyncIterator[Ledger]:
    """The ledger, through a session that cannot write."""
    async with connected(dsn) as connection:
        await connection.execute(statement("reading_session", _PACKAGE))
        yield Ledger(connection)
