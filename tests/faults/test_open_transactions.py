"""Faults 11 and 12: somebody holds a transaction open; order holds, and nobody waits for long."""

from __future__ import annotations

from uuid import uuid4

import asyncpg

from shared.eventlog.postgres import arguments
from shared.eventlog.statements import statement
from shared.eventlog.store import Entry
from tests.harness.house import House
from tests.harness.ledger import created
from tests.harness.waiting import until

LOCKED = """
SELECT count(*) > 0
  FROM pg_stat_activity
 WHERE wait_event_type = 'Lock' AND application_name = 'seatledger append'
"""


async def test_an_append_held_open_and_rolled_back_leaves_no_trace(house: House, seed: int) -> None:
    """While it holds the log's head nobody appends; its position is given back and used again."""
    async with house.under_load(seed) as load:
        await load.bookings(5)
        connection = await asyncpg.connect(house.installation.dsn)
        transaction = connection.transaction()
        await transaction.start()
        group_id = uuid4()
        entry = Entry(group_id, 0, [created(group_id)])
        [row] = await connection.fetch(statement("append"), *arguments([entry], True))
        held = row["position"]
        watcher = await asyncpg.connect(house.installation.dsn)
        await until(lambda: watcher.fetchval(LOCKED), 60, "an append that waits for the head")
        load.cycles += 1
        await transaction.rollback()
        load.recovered("bookings after a rollback", await load.bookings(10))
        taken = "SELECT originator_id FROM stored_events WHERE notification_id = $1"
        assert await watcher.fetchval(taken, held) not in (None, group_id)
        await connection.close()
        await watcher.close()


async def test_long_transactions_elsewhere_stall_nobody(house: House, seed: int) -> None:
    """A long snapshot in this database, and a long write in another one of the cluster."""
    dsn = house.installation.dsn
    other = dsn.rsplit("/", 1)[0] + "/postgres"
    reader, writer = await asyncpg.connect(dsn), await asyncpg.connect(other)
    snapshot = reader.transaction(isolation="repeatable_read", readonly=True)
    await snapshot.start()
    await reader.fetchval("SELECT count(*) FROM stored_events")
    writing = writer.transaction()
    await writing.start()
    await writer.fetchval("SELECT pg_current_xact_id()")
    async with house.under_load(seed) as load:
        await load.bookings(20)
        load.cycles += 1
    await snapshot.rollback()
    await writing.rollback()
    await reader.close()
    await writer.close()
