"""Writes down the shapes of events that a release is about to store, for all later ones to read.

`python -m tests.integration.query.rebuild.releasing 0.2.0` when an event has a field that no
released shape has; a test says when. The ledger is small and has every type of event, with much and
with little.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg

from services.query.projection.projector import Projector
from services.query.projection.read_models import attendees, groups
from services.query.projection.read_models.attendees import SeatRow
from services.query.projection.schema import prepare, session_settings
from services.query.reads.fresh_reads import FreshReads
from services.query.reads.related_seats import group_views
from shared.booking_api.rendering.bookings import render_booking
from shared.booking_api.rendering.includes import parse_includes
from shared.domain.events import GroupSettings
from shared.eventlog.follower import read_log
from shared.eventlog.postgres import PostgresEventStore
from shared.eventlog.privacy import MasterKey
from shared.migrate import migrate
from shared.runtime.postgres import Connection, Pool
from tests.harness.events.released_shapes import Released, write
from tests.harness.servers.private import Databases
from tests.integration.query.conftest import wait_until_projected
from tests.integration.query.scenario import MARTY, START, Scenario

MASTER_KEY = b"m" * 32
GROUP = parse_includes(
    "attributes,event,resource,project,calendar,meta,settings,reminders,webhooks"
)
SEAT = parse_includes("customers,attendees,related,meta,reminders,webhooks")
EVERYTHING: dict[str, Any] = {
    "where": "https://join.example.com/flux",
    "description": "Read the introduction first",
    "project_id": UUID(int=70),
    "calendar_id": UUID(int=71),
    "bulk_id": UUID(int=72),
    "auto_complete": False,
    "meta": {"room": "A 1", "floor": 3},
    "reminders": ({"type": "email", "when": {"type": "before", "unit": "hours", "time": 1}},),
    "webhooks": {"confirm": {"enabled": False}},
}
DETAILS = {"participants": ["biff@example.org"], "invite": True, "my_rsvp": "accepted"}
RULES = GroupSettings(
    max_seats=40,
    min_cancel_time="1 day",
    min_booking_time="2 hours",
    max_booking_time="3 weeks",
    allow_double_bookings=False,
    max_seats_per_customer=4,
    allow_duplicates=False,
)


async def play_every_event(scenario: Scenario, pool: Pool) -> None:
    """Each type of event, with all its fields and with as few as there may be."""
    full = await scenario.create(settings=RULES, details=DETAILS, **EVERYTHING)
    rest = {name: EVERYTHING[name] for name in ("bulk_id", "reminders", "webhooks")}
    names = [{"name": "Jennifer", "email": None}, {"name": "Doc", "email": "doc@example.org"}]
    who = {**MARTY, "phone": "+1 555", "voip": "marty", "meta": {"diet": "vegan"}}
    seat = await scenario.book(
        full, 3, customer=who, attendees=names, meta={"a": 1}, auto_complete=False, **rest
    )
    paid, expired = [await scenario.book(full, graph="group_customer_payment") for _ in range(2)]
    erased, cancelled, done = [await scenario.book(full) for _ in range(3)]
    await scenario.pay(full, paid)
    await scenario.expire(full, expired)
    await scenario.cancel(full, seat, seats=1)
    await scenario.cancel(full, cancelled, by="owner")
    await scenario.delete(full, cancelled)
    await scenario.complete_seat(full, done)
    await scenario.change_meta(full, full, {"room": None, "floor": 4})
    await scenario.change_meta(full, seat, {"b": [2], "a": None})
    await scenario.erase(full, erased, pool)
    who = {"id": str(UUID(int=73)), **who}
    left = {"customer": who, "attendees": names[:1], "meta": {"b": [2]}, "kept": []}
    await scenario.erase_attendees(full, seat, left)
    await scenario.resize(full, 41)
    await scenario.reschedule(full, START.replace(hour=13), START.replace(hour=15))
    plain = await scenario.create()
    await scenario.book(plain)
    await scenario.complete_group(plain)
    ended = await scenario.create()
    await scenario.book(ended)
    await scenario.cancel_group(ended)
    await scenario.delete(ended, ended)


async def shown_of(connection: Connection) -> dict[str, Any]:
    """What the read models show: groups and seat bookings by id, deleted ones too."""
    ids = [row[0] for row in await connection.fetch("SELECT group_id FROM groups")]
    views, rows = await group_views(connection, ids), await groups.load(connection, ids)
    shown: dict[str, Any] = {}
    for group_id, view in views.items():
        shown[str(group_id)] = {
            **render_booking(view, GROUP),
            "participants": list(view.participants),
            "deleted": rows[group_id].deleted,
        }
    seats = await connection.fetch("SELECT booking_id FROM attendees")
    found = await attendees.load(connection, [row[0] for row in seats])
    for booking_id, seat in found.items():
        shown[str(booking_id)] = _seat(seat, views)
    return shown


def _seat(row: SeatRow, views: dict[UUID, Any]) -> dict[str, Any]:
    view = attendees.view(row, views[row.group_id])
    return {**render_booking(view, SEAT), "deleted": row.deleted}


async def released(dsn: str, pool: Pool, release: str) -> Released:
    """The ledger that this code writes, read back as it is stored."""
    store = PostgresEventStore(pool, dsn)
    scenario = Scenario(store, MasterKey(MASTER_KEY))
    await play_every_event(scenario, pool)
    await store.close()
    shown = await projected(dsn, pool, scenario.position, MASTER_KEY)
    rows = await pool.fetch("SELECT booking_id, group_id, wrapped_key FROM booking_keys")
    keys = [(row[0], row[1], row[2], None) for row in rows]
    records = await read_log(pool, 0, 1_000)
    return Released(release, MASTER_KEY, records, keys, shown)


async def projected(dsn: str, pool: Pool, position: int, master_key: bytes) -> dict[str, Any]:
    """What is shown once the log is projected up to there."""
    master = MasterKey(master_key)
    projector, reads = Projector(dsn, master), FreshReads(dsn, master)
    task = asyncio.create_task(projector.run())
    try:
        await wait_until_projected(reads, position)
        async with pool.acquire() as connection:
            return await shown_of(connection)
    finally:
        projector.stop()
        await task
        await reads.close()


async def main(release: str) -> None:
    with tempfile.TemporaryDirectory(prefix="seatledger-released-") as name:
        databases = Databases(Path(name) / "postgres")
        await databases.start()
        dsn = databases.cluster.dsn_of("postgres")
        try:
            await migrate(dsn)
            await prepare(dsn)
            settings = session_settings()
            async with asyncpg.create_pool(dsn, server_settings=settings) as pool:
                file = write(await released(dsn, pool, release))
        finally:
            await databases.cluster.stop()
    sys.stdout.write(f"{file}\n")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
