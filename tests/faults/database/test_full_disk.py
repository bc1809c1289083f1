"""Fault 15: the disk of the ledger, or of its write-ahead log, is full.

Who books is told to come again, and nothing is written. Once there is room bookings go on
by themselves.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from deploy.local.postgres.server import DURABLE, PrivatePostgres
from tests.harness.callers.http_clients import client_session
from tests.harness.callers.retrying import RetryingCustomers
from tests.harness.faults.full_disk import (
    ROOM_BYTES,
    disk_full_at,
    fill_the_log_volume,
    grow_beyond_a_segment,
)
from tests.harness.servers.private import remove_folder, temporary_folder, until_started
from tests.harness.services.cluster_under_test import ClusterUnderTest, cluster_at


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
