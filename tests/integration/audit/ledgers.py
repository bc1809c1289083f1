"""A small true ledger to audit: three groups with every kind of change, appended by the store."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

import asyncpg

from services.audit.postgres import open_ledger
from services.audit.verify.verify import Verdict, verify
from shared.booking_api.details import SEALED_BOOKING, pack_seat
from shared.booking_api.new_seats import NewCustomer, NewSeats
from shared.booking_api.rendering.views import Attendee
from shared.domain.events import (
    BookingDeleted,
    CapacityChanged,
    CustomerErased,
    Event,
    GroupCancelled,
    GroupCompleted,
    GroupCreated,
    GroupRescheduled,
    GroupSettings,
    MetaChanged,
    SeatBooked,
    SeatCancelled,
    SeatCompleted,
    SeatExpired,
    SeatPaid,
)
from shared.eventlog.postgres import PostgresEventStore
from shared.eventlog.privacy import (
    BookingKey,
    MasterKey,
    attendee_refs,
    customer_ref,
    first_rule_ref,
)
from shared.eventlog.record import BookingKeyRow, NewEvent
from shared.eventlog.store import Appended, Entry
from tests.harness import commands
from tests.harness.events.ledger import NOON

CANCELLED, COMPLETED, OPEN = UUID(int=0xA1), UUID(int=0xA2), UUID(int=0xA3)
MARTY, BIFF, JEN = UUID(int=0xB1), UUID(int=0xB2), UUID(int=0xB3)


class Script:
    """Writes a group's events; the seat count is kept by hand, as the reader would."""

    def __init__(self, group_id: UUID, max_seats: int) -> None:
        self.group_id, self.max_seats, self.taken = group_id, max_seats, 0
        self.events: list[NewEvent] = []
        self.keys: list[BookingKeyRow] = []
        self.add(
            GroupCreated,
            app_id=UUID(int=7),
            resource_id=UUID(int=8),
            start=NOON,
            end=NOON,
            time_zone="UTC",
            what="A webinar",
            settings=GroupSettings(max_seats=max_seats),
        )

    def add(self, kind: type[Event], booking: UUID | None = None, **fields: Any) -> None:
        event = kind(
            at=NOON,
            booking_id=booking or self.group_id,
            current_seats=self.taken,
            max_seats=self.max_seats,
            **fields,
        )
        metadata = {"actor": "key:test", "request_id": str(uuid4())}
        self.events.append(NewEvent(uuid4(), event, metadata))

    def book(self, booking: UUID, seats: int = 1, pays: bool = False) -> None:
        self.taken += seats
        self.keys.append(BookingKeyRow(booking, self.group_id, b"wrapped", b"ref"))
        graph = "group_customer_payment" if pays else "group_customer"
        hold = NOON if pays else None
        self.add(
            SeatBooked,
            booking,
            graph=graph,
            seats=seats,
            customer_ref=b"r" * 16,
            hold_until=hold,
            sealed=b"s",
        )

    def book_for(
        self, booking: UUID, master: MasterKey, email: str, *attendees: str, by_first: bool = False
    ) -> None:
        """One seat for each attendee, or for the customer alone: `by_first` as the first rule
        booked, before there were hashes of attendees."""
        key, seats = BookingKey.new(booking), max(len(attendees), 1)
        ref = first_rule_ref(master, email) if by_first else customer_ref(master, email)
        who = NewCustomer(email.partition("@")[0], email, "UTC")
        people = tuple(Attendee(one.partition("@")[0], one) for one in attendees)
        sealed = pack_seat(uuid4(), NewSeats("group_customer", self.group_id, seats, who, people))
        self.taken += seats
        refs = () if by_first else attendee_refs(master, people)
        self.keys.append(BookingKeyRow(booking, self.group_id, master.wrap(key), ref, refs))
        self.add(
            SeatBooked,
            booking,
            graph="group_customer",
            seats=seats,
            customer_ref=ref,
            sealed=key.seal(SEALED_BOOKING, sealed),
        )

    def cancel(self, booking: UUID, seats: int, left: int = 0) -> None:
        self.taken -= seats
        self.add(SeatCancelled, booking, by="customer", seats=seats, seats_left=left)


def cancelled_group() -> Script:
    script = Script(CANCELLED, 20)
    script.book(MARTY, 2)
    script.book(BIFF, 1, pays=True)
    script.cancel(MARTY, 1, left=1)
    script.add(SeatPaid, BIFF, sealed=b"p")
    script.add(MetaChanged, meta={"room": "1"})
    script.taken = 0
    script.add(GroupCancelled, seat_bookings=2)
    script.add(BookingDeleted)
    return script


def completed_group() -> Script:
    script = Script(COMPLETED, 3)
    first, second, third = uuid4(), uuid4(), uuid4()
    script.book(first, 2)
    script.book(second, 1, pays=True)
    script.taken -= 1
    script.add(SeatExpired, second, seats=1)
    script.max_seats = 5
    script.add(CapacityChanged, when_over="refuse", over_by=0)
    script.book(third, 3)
    script.add(GroupRescheduled, start=NOON, end=NOON)
    script.add(SeatCompleted, first)
    script.add(GroupCompleted, seat_bookings=1)
    script.add(CustomerErased, third)
    return script


def open_group() -> Script:
    script = Script(OPEN, 2)
    script.book(JEN, 2)
    script.cancel(JEN, 2)
    script.book(uuid4(), 2)
    return script


async def fill(dsn: str, *scripts: Script) -> int:
    """Appends the scripts, one batch each, and answers the last position."""
    position = 0
    async with asyncpg.create_pool(dsn, min_size=1, max_size=1) as pool:
        store = PostgresEventStore(pool, dsn)
        for script in scripts or (cancelled_group(), completed_group(), open_group()):
            [outcome] = await store.append(
                [Entry(script.group_id, 0, script.events, script.keys)], wake_followers=False
            )
            assert isinstance(outcome, Appended)
            position = outcome.position
        await store.close()
    return position


async def verdict(dsn: str) -> Verdict:
    async with open_ledger(dsn) as ledger:
        return await verify(ledger, await ledger.head(), True, lambda more: None)


async def tamper(dsn: str, *statements: str) -> None:
    """What somebody with the database's password can do."""
    connection = await asyncpg.connect(dsn)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


async def reader_of(dsn: str, *schemas: str) -> str:
    """The DSN of a new role that may read all tables of these schemas, and do nothing else."""
    connection = await asyncpg.connect(dsn)
    name = f"reader_{await connection.fetchval('SELECT current_database()')}"
    await connection.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'reader'")
    for schema in schemas:
        await connection.execute(f"GRANT USAGE ON SCHEMA {schema} TO {name}")
        await connection.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {name}")
    await connection.close()
    return f"postgresql://{name}:reader@{dsn.rpartition('@')[2]}"


async def seatledger(dsn: str, *arguments: str, master: str = "") -> tuple[int, str, str]:
    """Exit status, stdout and stderr of the command."""
    secret = {"SEATLEDGER_MASTER_KEY": master} if master else {}
    return await commands.seatledger(*arguments, DATABASE_URL=dsn, **secret)


async def python(*arguments: str, **environment: str) -> tuple[int, str, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={"PATH": os.environ["PATH"], **environment},
    )
    out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


def lines(out: str) -> Sequence[dict[str, Any]]:
    return [json.loads(line) for line in out.splitlines()]
