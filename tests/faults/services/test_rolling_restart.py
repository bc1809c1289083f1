"""Fault 25: SIGTERM at full load drains and ends; nobody gets a wrong answer.

Not even a database that fell silent keeps a process from ending in good order.
"""

from __future__ import annotations

import time
from uuid import uuid4

import pytest

from shared.eventlog.postgres import PostgresEventStore
from shared.eventlog.store import Entry
from shared.runtime.postgres import ACQUIRE_SECONDS, pool_of
from tests.harness.callers.load import Load
from tests.harness.events.ledger import created
from tests.harness.faults.proxy import Proxy
from tests.harness.services.cluster_under_test import ClusterUnderTest
from tests.harness.services.installation import ServiceProcess

GRACE_SECONDS = 30.0
"""Less than a supervisor waits before it kills."""


async def test_each_kind_of_process_may_be_restarted_under_load(
    cluster: ClusterUnderTest, seed: int
) -> None:
    async with cluster.under_load(seed) as load:
        for process in one_of_each(cluster, seed):
            await end(process, load)
            await process.start()
        await load.answers(20)


@pytest.mark.long
async def test_loops_end_in_time_though_the_database_is_silent(
    cluster: ClusterUnderTest, seed: int
) -> None:
    first, second = cluster.installation.loops
    async with Proxy(cluster.installation.dsn) as proxy, cluster.under_load(seed) as load:
        for loops in (second, first):
            await loops.kill()
        await first.start(DATABASE_URL=proxy.url)
        await cluster.installation.until_projecting()
        await load.answers(20)
        proxy.silence()
        await end(first, load)
        proxy.resume()
        for loops in (first, second):
            await loops.start()


async def test_a_silent_database_spoils_no_end(database_url: str) -> None:
    """Half-open: nothing is closed, nothing comes. What is closed is given up, without an error
    that would make an orderly end look like a failed start."""
    async with Proxy(database_url) as proxy:
        async with pool_of(proxy.url, size=2) as pool:
            store = PostgresEventStore(pool, proxy.url)
            group_id = uuid4()
            await store.append([Entry(group_id, 0, [created(group_id)])])
            lock = await store.take_lock(group_id, 0)
            assert lock is not None
            lock.end()
            proxy.silence()
            await store.close()
        assert pool.is_closing()
        proxy.resume()


async def test_a_pool_waits_for_no_silent_database(database_url: str) -> None:
    """Neither for a free connection, nor for the end of a statement that was given up."""
    async with Proxy(database_url) as proxy, pool_of(proxy.url, size=1) as pool:
        assert await pool.fetchval("SELECT 1") == 1
        proxy.silence()
        began = time.monotonic()
        with pytest.raises(TimeoutError):
            await pool.fetchval("SELECT 2", timeout=0.1)
        assert time.monotonic() - began < 2 * ACQUIRE_SECONDS
        assert await pool.fetchval("SELECT 3") == 3  # on a new connection
        proxy.resume()


async def test_a_pool_ends_what_was_left_in_a_connection(database_url: str) -> None:
    """Sessions are not reset, but an open transaction is rolled back."""
    async with pool_of(database_url, size=1) as pool:
        connection = await pool.acquire()
        await connection.execute("BEGIN")
        await connection.execute("CREATE TABLE left_behind ()")
        await pool.release(connection)
        assert await pool.fetchval("SELECT to_regclass('left_behind')") is None


def one_of_each(cluster: ClusterUnderTest, seed: int) -> list[ServiceProcess]:
    there = cluster.installation
    return [kind[seed % len(kind)] for kind in (there.commands, there.queries, there.loops)]


async def end(process: ServiceProcess, load: Load) -> None:
    """It is asked to, and it does, in time and in good order."""
    began = time.monotonic()
    await process.stop()
    load.recovered(f"drained {process.module}", time.monotonic() - began, GRACE_SECONDS)
    assert await process.ended() == 0, process.last_words()
    load.cycles += 1
