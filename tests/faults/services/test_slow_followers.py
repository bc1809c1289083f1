"""Fault 14: followers that are too slow, or far behind, catch up within bounds."""

from __future__ import annotations

import asyncpg
import psutil
import pytest

from services.query.projection.schema import session_settings
from tests.harness.faults.proxy import Proxy
from tests.harness.services.cluster_under_test import ClusterUnderTest
from tests.harness.services.installation import ServiceProcess
from tests.harness.waiting import until

MOST_BYTES = 400 * 1024 * 1024
PATIENCE = 120.0
SLOW_SECONDS = 0.5
BEHIND = 400
HEAD = "SELECT position FROM log_head"
CHECKPOINTS = {
    "relay": "SELECT checkpoint FROM followers WHERE name = 'relay'",
    "projection": "SELECT position FROM checkpoint",
}


def ensure_small(loops: ServiceProcess) -> None:
    """Its memory does not grow with what it has yet to read."""
    assert psutil.Process(loops.pid).memory_info().rss < MOST_BYTES


@pytest.mark.long
async def test_followers_far_behind_catch_up_in_bounded_memory(
    cluster: ClusterUnderTest, seed: int
) -> None:
    async with cluster.under_load(seed, callers=32, seats=1_000) as load:
        for loops in cluster.installation.loops:
            await loops.kill()
        load.cycles += 1
        await load.bookings(1_500)
        for loops in cluster.installation.loops:
            await loops.start()
    for loops in cluster.installation.loops:
        ensure_small(loops)


async def test_followers_much_too_slow_catch_up_once_they_are_not(
    cluster: ClusterUnderTest, seed: int
) -> None:
    """Every answer of the database and of the broker takes half a second on its way to them."""
    slow, other = cluster.installation.loops
    dsn, amqp_url = cluster.installation.dsn, cluster.installation.env["AMQP_URL"]
    async with (
        Proxy(dsn) as ledger,
        Proxy(amqp_url) as broker,
        cluster.under_load(seed, callers=32, seats=1_000) as load,
    ):
        await other.kill()
        await slow.kill()
        await slow.start(DATABASE_URL=ledger.url, AMQP_URL=broker.url)
        ledger.delay_seconds = broker.delay_seconds = SLOW_SECONDS
        await until_far_behind(dsn)
        ensure_small(slow)
        load.cycles += 1
        ledger.delay_seconds = broker.delay_seconds = 0.0
        for follower, checkpoint in CHECKPOINTS.items():
            seconds, events = await caught_up(dsn, checkpoint)
            load.recovered(f"{follower}, {events} events behind", seconds)
        ensure_small(slow)
        for loops in (slow, other):
            await loops.kill()
            await loops.start()


async def until_far_behind(dsn: str) -> None:
    """Until both followers lack more events than one batch has."""
    connection = await asyncpg.connect(dsn, server_settings=session_settings())

    async def is_far() -> bool:
        head = await connection.fetchval(HEAD)
        places = [await connection.fetchval(sql) for sql in CHECKPOINTS.values()]
        return bool(head - max(places) >= BEHIND)

    try:
        await until(is_far, PATIENCE, "followers far behind")
    finally:
        await connection.close()


async def caught_up(dsn: str, checkpoint: str) -> tuple[float, int]:
    """Waits until a follower has what is in the log now: seconds, and the events that it lacked."""
    connection = await asyncpg.connect(dsn, server_settings=session_settings())
    place, head = await connection.fetchval(checkpoint), await connection.fetchval(HEAD)

    async def is_there() -> bool:
        return bool(await connection.fetchval(checkpoint) >= head)

    try:
        return await until(is_there, PATIENCE, "a follower that caught up"), head - place
    finally:
        await connection.close()
