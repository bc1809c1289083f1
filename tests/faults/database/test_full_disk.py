"""Fault 15: the disk of the ledger, or of its write-ahead log, is full.

Who books is told to come again, and nothing is written. Once there is room bookings go on
by themselves. A full disk needs no file system of its own and no rights: it is a limit on the
sizes of the files that the running server's processes write, lifted again while they run. For one
table it is above a segment of the write-ahead log, so that it binds only the table that was made
larger than one before.
"""

from __future__ import annotations

import asyncio
import resource
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress

import asyncpg
import psutil
import pytest_asyncio

from deploy.local.postgres.server import DURABLE, PrivatePostgres
from tests.harness.callers.http_clients import client_session
from tests.harness.callers.retrying import RetryingCustomers
from tests.harness.servers.private import remove_folder, temporary_folder, until_started
from tests.harness.services.cluster_under_test import ClusterUnderTest, cluster_at

ROOM_BYTES = 64 * 1024
WAL_SEGMENT_BYTES = 16 * 1024 * 1024
SEGMENTS = 20
END_SECONDS = 60.0
SERVER_GONE = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError)
NO_LIMIT = resource.RLIM_INFINITY
GROW = """
INSERT INTO stored_events
SELECT gen_random_uuid(), 1, '', decode(repeat('00', 1900), 'hex'), -number, gen_random_uuid(),
       gen_random_uuid(), '{}', now(), ''
  FROM generate_series(1, 11000) AS number
"""


@pytest_asyncio.fixture
async def postgres() -> AsyncIterator[PrivatePostgres]:
    """A cluster that nobody cleans up: the room that was made in a table stays taken."""
    folder = temporary_folder()
    postgres = PrivatePostgres(folder, settings={**DURABLE, "autovacuum": "off"})
    await postgres.start()
    yield postgres
    await postgres.stop()
    remove_folder(folder)


@pytest_asyncio.fixture
async def cluster(postgres: PrivatePostgres, amqp_url: str) -> AsyncIterator[ClusterUnderTest]:
    async with cluster_at(postgres.dsn, amqp_url) as cluster:
        yield cluster


async def test_a_full_disk_refuses_bookings_and_loses_none(
    cluster: ClusterUnderTest, postgres: PrivatePostgres, seed: int
) -> None:
    pids = [process.pid for process in cluster.installation.processes]
    size = await grow_beyond_a_segment(postgres.dsn)
    async with cluster.under_load(seed, seats=5_000) as load, client_session() as session:
        retrying = RetryingCustomers(cluster, session)
        await load.bookings(10)
        with disk_full_at(postgres, size + ROOM_BYTES):
            await retrying.until_refused(load.groups[0])
            load.cycles += 1
            together = await retrying.all_or_none(load.groups[0])
            assert together.is_come_again, together
            assert await cluster.customers.read(load.groups[0]) is not None
            assert await retrying.written() == 0
        load.recovered("bookings once there is room", await load.bookings(10))
        await retrying.ask_again()
    assert [process.pid for process in cluster.installation.processes] == pids


async def test_a_full_volume_of_the_write_ahead_log_loses_nothing(
    cluster: ClusterUnderTest, postgres: PrivatePostgres, seed: int
) -> None:
    """PostgreSQL ends itself there; our processes stay, and go on once it was started again."""
    pids = [process.pid for process in cluster.installation.processes]
    async with cluster.under_load(seed, seats=5_000) as load, client_session() as session:
        retrying = RetryingCustomers(cluster, session)
        await load.bookings(10)
        await fill_the_log_volume(postgres)
        load.cycles += 1
        await retrying.until_refused(load.groups[0])
        await until_started(postgres)
        load.recovered("bookings once there is room for the log", await load.bookings(10))
        assert await retrying.written() == 0
        await retrying.ask_again()
    assert [process.pid for process in cluster.installation.processes] == pids


async def grow_beyond_a_segment(dsn: str) -> int:
    """Rows that are taken back leave the table's file as large as they made it: its bytes."""
    connection = await asyncpg.connect(dsn)
    try:
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute(GROW)
        await transaction.rollback()
        size: int = await connection.fetchval("SELECT pg_relation_size('stored_events')")
    finally:
        await connection.close()
    assert size > WAL_SEGMENT_BYTES
    return size


@contextmanager
def disk_full_at(postgres: PrivatePostgres, size: int) -> Iterator[None]:
    """Inside the block no file of the server grows beyond so many bytes."""
    _limit(postgres, size)
    try:
        yield
    finally:
        if postgres.program.is_running:
            _limit(postgres, NO_LIMIT)


async def fill_the_log_volume(postgres: PrivatePostgres) -> None:
    """No byte for a further segment of the write-ahead log, and the present one is used up: the
    server ends, as it does on a full volume."""
    _limit(postgres, WAL_SEGMENT_BYTES - 1)
    connection = await asyncpg.connect(postgres.dsn)
    with suppress(*SERVER_GONE):
        for _ in range(SEGMENTS):
            await connection.execute("SELECT pg_switch_wal()")
            await connection.execute("SELECT pg_logical_emit_message(true, '', '')")
    connection.terminate()
    process = postgres.program.process
    assert process is not None
    await asyncio.wait_for(process.wait(), END_SECONDS)


def _limit(postgres: PrivatePostgres, size: int) -> None:
    """Its first process is limited before the others are looked for: new ones inherit it."""
    first = psutil.Process(postgres.program.pid)
    first.rlimit(psutil.RLIMIT_FSIZE, (size, NO_LIMIT))
    for process in first.children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            process.rlimit(psutil.RLIMIT_FSIZE, (size, NO_LIMIT))
