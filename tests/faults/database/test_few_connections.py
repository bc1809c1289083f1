"""Fault 16: many callers and few connections: they are queued or told to come again, none hangs."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator

import asyncpg
import pytest_asyncio

from deploy.local.postgres.server import DATABASE, PrivatePostgres
from tests.harness.callers.http_clients import client_session
from tests.harness.callers.retrying import RetryingCustomers
from tests.harness.services.cluster_under_test import ClusterUnderTest, cluster_at

ROLE = "booker"
LOSE_ALL = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = $1"


async def test_two_hundred_callers_at_once_are_all_answered(
    cluster: ClusterUnderTest, seed: int
) -> None:
    async with cluster.under_load(seed, callers=200, groups=2, seats=150) as load:
        await load.answers(400)
        load.cycles += 1


async def test_two_hundred_callers_share_two_connections(
    cluster: ClusterUnderTest, seed: int
) -> None:
    """Whoever reads waits for one of them; appends have one of their own."""
    installation = cluster.installation
    serving = [*installation.commands, *installation.queries]
    async with cluster.under_load(seed, callers=200, groups=2, seats=500) as load:
        for process in serving:
            await process.stop()
            await process.start(SEATLEDGER_POOL_SIZE="2")
        load.cycles += 1
        load.recovered("bookings by two connections", await load.bookings(200))
        await load.answers(1_000)
    for process in serving:
        await process.stop()
        await process.start()


@pytest_asyncio.fixture
async def limited(durable_postgres: PrivatePostgres) -> str:
    """The database of a role without further rights, whose connections can be limited."""
    password = secrets.token_hex(16)
    connection = await asyncpg.connect(durable_postgres.dsn)
    await connection.execute(f"CREATE ROLE {ROLE} LOGIN PASSWORD '{password}'")
    await connection.execute(f"ALTER DATABASE {DATABASE} OWNER TO {ROLE}")
    await connection.close()
    address = durable_postgres.dsn.rpartition("@")[2]
    return f"postgresql://{ROLE}:{password}@{address}"


@pytest_asyncio.fixture
async def own_cluster(limited: str, amqp_url: str) -> AsyncIterator[ClusterUnderTest]:
    """A cluster that goes by that role."""
    async with cluster_at(limited, amqp_url) as cluster:
        yield cluster


async def test_a_server_without_a_free_connection_is_waited_for(
    own_cluster: ClusterUnderTest, durable_postgres: PrivatePostgres, seed: int
) -> None:
    """All connections are lost and none is to be had until the limit is lifted."""
    pids = [process.pid for process in own_cluster.installation.processes]
    owner = await asyncpg.connect(durable_postgres.dsn)
    async with own_cluster.under_load(seed, seats=500) as load, client_session() as session:
        retrying = RetryingCustomers(own_cluster, session)
        await load.bookings(10)
        await owner.execute(f"ALTER ROLE {ROLE} CONNECTION LIMIT 0")
        assert await owner.fetchval(LOSE_ALL, ROLE) > 0
        await retrying.until_refused(load.groups[0])
        load.cycles += 1
        await owner.execute(f"ALTER ROLE {ROLE} CONNECTION LIMIT -1")
        load.recovered("bookings once there are connections", await load.bookings(20))
        await retrying.ask_again()
    await owner.close()
    assert [process.pid for process in own_cluster.installation.processes] == pids
