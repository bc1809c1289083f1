"""Faults 11 and 12: a transaction is held open; order holds, and nobody waits for long."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from uuid import uuid4

import asyncpg

from shared.eventlog.postgres import arguments
from shared.eventlog.statements import statement
from shared.eventlog.store import Entry
from tests.harness.events.ledger import created
from tests.harness.services.cluster_under_test import ClusterUnderTest
from tests.harness.waiting import until

HELD_SECONDS = 5.0
WAITING = """
SELECT coalesce(max(extract(epoch FROM clock_timestamp() - query_start)), 0)::float8
  FROM pg_stat_activity
 WHERE wait_event_type = 'Lock' AND application_name = 'seatledger append'
"""
HOLDER = """
SELECT DISTINCT unnest(pg_blocking_pids(pid))
  FROM pg_stat_activity
 WHERE wait_event_type = 'Lock' AND application_name = 'seatledger append'
"""
APPENDERS = "SELECT pid FROM pg_stat_activity WHERE application_name = 'seatledger append'"
LOOKS = 20
CALLERS, SEATS, BOOKINGS = 32, 1_000, 1_000


async def until_held(watcher: asyncpg.Connection[asyncpg.Record]) -> None:
    """Until an append has waited for another one as long as HELD_SECONDS."""

    async def is_held() -> bool:
        return float(await watcher.fetchval(WAITING)) >= HELD_SECONDS

    await until(is_held, 60, "an append that waits for the head")


async def frozen_in_an_append(watcher: asyncpg.Connection[asyncpg.Record]) -> int:
    """The process of a server's connection, frozen while another append waits for its end."""
    pids = [row[0] for row in await watcher.fetch(APPENDERS)]
    found = 0

    async def is_in_the_way() -> bool:
        nonlocal found
        found = pids[0]
        pids.append(pids.pop(0))
        os.kill(found, signal.SIGSTOP)
        with suppress(TimeoutError):  # frozen with a lock of the server's own in its hands
            for _ in range(LOOKS):
                if found in [row[0] for row in await watcher.fetch(HOLDER, timeout=1)]:
                    return True
        os.kill(found, signal.SIGCONT)
        return False

    await until(is_in_the_way, 60, "an append that others wait for")
    return found


async def test_an_append_that_takes_five_seconds_to_commit_is_in_order(
    cluster: ClusterUnderTest, seed: int
) -> None:
    """Nobody's event is in the log before its own; who follows the log sees all of them."""
    async with cluster.under_load(seed, callers=CALLERS, seats=SEATS) as load:
        await load.bookings(20)
        watcher = await asyncpg.connect(cluster.installation.dsn)
        holder = await frozen_in_an_append(watcher)
        try:
            await until_held(watcher)
        finally:
            os.kill(holder, signal.SIGCONT)
        load.cycles += 1
        load.recovered("a thousand bookings", await load.bookings(BOOKINGS))
        await watcher.close()


async def test_an_append_held_open_and_rolled_back_leaves_no_trace(
    cluster: ClusterUnderTest, seed: int
) -> None:
    """While it holds the log's head nobody appends; its position is given back and used again."""
    async with cluster.under_load(seed, callers=CALLERS, seats=SEATS) as load:
        await load.bookings(20)
        connection = await asyncpg.connect(cluster.installation.dsn)
        transaction = connection.transaction()
        await transaction.start()
        group_id = uuid4()
        entry = Entry(group_id, 0, [created(group_id)])
        [row] = await connection.fetch(statement("append"), *arguments([entry], True))
        held = row["position"]
        watcher = await asyncpg.connect(cluster.installation.dsn)
        await until_held(watcher)
        load.cycles += 1
        await transaction.rollback()
        load.recovered("a thousand bookings after a rollback", await load.bookings(BOOKINGS))
        taken = "SELECT originator_id FROM stored_events WHERE notification_id = $1"
        assert await watcher.fetchval(taken, held) not in (None, group_id)
        await connection.close()
        await watcher.close()


async def test_long_transactions_elsewhere_stall_nobody(
    cluster: ClusterUnderTest, seed: int
) -> None:
    """A long snapshot in this database, and a long write in another one of the cluster."""
    dsn = cluster.installation.dsn
    other = dsn.rsplit("/", 1)[0] + "/postgres"
    reader, writer = await asyncpg.connect(dsn), await asyncpg.connect(other)
    snapshot = reader.transaction(isolation="repeatable_read", readonly=True)
    await snapshot.start()
    await reader.fetchval("SELECT count(*) FROM stored_events")
    writing = writer.transaction()
    await writing.start()
    await writer.fetchval("SELECT pg_current_xact_id()")
    async with cluster.under_load(seed) as load:
        await load.bookings(20)
        load.cycles += 1
    await snapshot.rollback()
    await writing.rollback()
    await reader.close()
    await writer.close()
