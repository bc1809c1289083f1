"""Fault 7: the database dies and comes back; what was answered is there, and nobody is stuck."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator

import asyncpg
import pytest
import pytest_asyncio

from deploy.local.postgres.server import PrivatePostgres
from tests.harness.servers.private import until_started
from tests.harness.services.cluster_under_test import ClusterUnderTest, cluster_at
from tests.harness.waiting import until

APPENDER = "SELECT pid FROM pg_stat_activity WHERE application_name = 'seatledger append' LIMIT 1"


@pytest_asyncio.fixture
async def cluster(
    durable_postgres: PrivatePostgres, amqp_url: str
) -> AsyncIterator[ClusterUnderTest]:
    """A cluster on a database of its own, which keeps what it acknowledged."""
    async with cluster_at(durable_postgres.dsn, amqp_url) as cluster:
        yield cluster


async def kill_a_backend(postgres: PrivatePostgres) -> None:
    """kill -9 of the connection that appends: PostgreSQL restarts all of them."""
    connection = await asyncpg.connect(postgres.dsn)
    pid: int | None = None

    async def is_there() -> bool:
        nonlocal pid
        pid = await connection.fetchval(APPENDER)
        return pid is not None

    await until(is_there, what="a connection that appends")
    connection.terminate()
    assert pid is not None
    os.kill(pid, signal.SIGKILL)


async def stop_at_once(postgres: PrivatePostgres) -> None:
    """Immediate shutdown: no checkpoint, recovery at the next start."""
    process = postgres.program.process
    assert process is not None
    process.send_signal(signal.SIGQUIT)
    await process.wait()
    await postgres.start()


async def kill_and_restart(postgres: PrivatePostgres) -> None:
    """kill -9 of the whole server."""
    process = postgres.program.process
    assert process is not None
    postgres.kill()
    await process.wait()
    await until_started(postgres)


@pytest.mark.timeout(600)
async def test_the_database_may_die_in_any_way(
    cluster: ClusterUnderTest, durable_postgres: PrivatePostgres, seed: int
) -> None:
    async with cluster.under_load(seed, seats=80) as load:
        for fault in (kill_a_backend, stop_at_once, kill_and_restart):
            await load.bookings(10)
            await fault(durable_postgres)
            load.cycles += 1
            load.recovered(f"bookings after {fault.__name__}", await load.bookings(10))
