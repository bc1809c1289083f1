"""Groups and attendees as CSV, and the store read with the stock `eventsourcing` library."""

from __future__ import annotations

import base64
import csv
from io import StringIO
from uuid import UUID, uuid4

import asyncpg

from services.audit.transfer import stock_reader
from shared.booking_api.details import SEALED_BOOKING, pack_seat
from shared.booking_api.new_seats import NewCustomer, NewSeats
from shared.booking_api.rendering.views import Attendee
from shared.domain.events import SeatBooked
from shared.eventlog.privacy import BookingKey, MasterKey
from shared.eventlog.record import BookingKeyRow
from tests.harness.events.ledger import NOON
from tests.integration.audit.ledgers import (
    CANCELLED,
    COMPLETED,
    MARTY,
    OPEN,
    Script,
    fill,
    python,
    seatledger,
)

MASTER = bytes(range(32))


async def table(dsn: str, *arguments: str) -> list[dict[str, str]]:
    status, out, err = await seatledger(
        dsn, "csv", *arguments, master=base64.b64encode(MASTER).decode()
    )
    assert status == 0, err
    return list(csv.DictReader(StringIO(out)))


async def test_groups_are_a_line_each(filled_url: str) -> None:
    rows = {UUID(row["group_id"]): row for row in await table(filled_url, "groups")}
    assert set(rows) == {CANCELLED, COMPLETED, OPEN}
    assert rows[COMPLETED]["state"] == "completed"
    assert (rows[OPEN]["current_seats"], rows[OPEN]["max_seats"]) == ("2", "2")
    assert rows[CANCELLED]["seat_bookings"] == "2"


async def test_attendees_are_a_line_each_and_nameless_unless_asked(filled_url: str) -> None:
    rows = {UUID(row["booking_id"]): row for row in await table(filled_url, "attendees")}
    assert len(rows) == 7
    assert rows[MARTY]["state"] == "cancelled_by_owner" and rows[MARTY]["seats"] == "1"
    assert "name" not in rows[MARTY]


async def test_an_unknown_app_is_refused(filled_url: str) -> None:
    status, _, err = await seatledger(filled_url, "csv", "groups", "--app", "nobody")
    assert status == 1 and "no app" in err


async def test_names_come_with_the_master_key_until_they_are_erased(database_url: str) -> None:
    script, key = Script(OPEN, 5), BookingKey.new(MARTY)
    customer = NewCustomer("=1+1", "m@example.org", "UTC", "+1 555")
    new = NewSeats("group_customer", OPEN, 2, customer, (Attendee("Jennifer"), Attendee("=2+3")))
    script.taken = 1
    script.keys.append(BookingKeyRow(MARTY, OPEN, MasterKey(MASTER).wrap(key), b"ref"))
    script.add(
        SeatBooked,
        MARTY,
        graph="group_customer",
        seats=1,
        customer_ref=b"r" * 16,
        hold_until=NOON,
        sealed=key.seal(SEALED_BOOKING, pack_seat(uuid4(), new)),
    )
    await fill(database_url, script)
    [row] = await table(database_url, "attendees", "--personal")
    assert (row["name"], row["phone"], row["attendees"]) == ("'=1+1", "'+1 555", "Jennifer; '=2+3")
    status, _, err = await seatledger(database_url, "erase", "--booking", str(MARTY), "--yes")
    assert status == 0, err
    [row] = await table(database_url, "attendees", "--personal")
    assert row["name"] == "" and row["seats"] == "1"


async def test_the_stock_library_reads_the_store(filled_url: str) -> None:
    rows = await _stored(filled_url)
    place, _, database = filled_url.rpartition("@")[2].partition("/")
    user, _, password = filled_url.removeprefix("postgresql://").partition("@")[0].partition(":")
    status, out, err = await python(
        stock_reader.__file__, *place.split(":"), database, user, PGPASSWORD=password
    )
    assert status == 0, err
    printed = out.splitlines()
    assert printed[: len(rows)] == rows
    assert f"2 seats taken in {OPEN}" in printed[len(rows) :]


async def _stored(dsn: str) -> list[str]:
    connection = await asyncpg.connect(dsn)
    rows = await connection.fetch(
        "SELECT concat_ws(' ', notification_id, originator_id, originator_version, topic)"
        "  FROM stored_events ORDER BY notification_id"
    )
    await connection.close()
    return [row[0] for row in rows]
