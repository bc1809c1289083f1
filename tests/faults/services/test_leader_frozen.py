"""Fault 4: a frozen leader is replaced, and writes nothing when it wakes up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import psutil
import pytest

from tests.harness.services.cluster_under_test import ClusterUnderTest
from tests.harness.waiting import until

PATIENCE = 120.0
EPOCHS = "SELECT name, epoch FROM followers"
PLACES = "SELECT name, epoch, checkpoint FROM followers"
STEPS = ("in_projection", "before_confirm", "before_checkpoint")
FROZEN_SECONDS = 30.0
WATCH_SECONDS = 600.0


async def epochs(dsn: str) -> dict[str, int]:
    """The newest term of each loop."""
    connection = await asyncpg.connect(dsn)
    try:
        return {row["name"]: row["epoch"] for row in await connection.fetch(EPOCHS)}
    finally:
        await connection.close()


async def all_beyond(dsn: str, before: dict[str, int]) -> float:
    """Waits until every loop has a newer term; how long that took."""

    async def are_beyond() -> bool:
        now = await epochs(dsn)
        return len(now) > 1 and all(now[name] > before.get(name, 0) for name in now)

    return await until(are_beyond, PATIENCE, "new terms")


class Watch:
    """Looks at the loops' terms and places for as long as the block lasts: neither goes back."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._last: dict[str, tuple[int, int]] = {}
        self.looks = 0
        self.went_back: list[str] = []

    @asynccontextmanager
    async def kept(self) -> AsyncIterator[Watch]:
        connection = await asyncpg.connect(self._dsn)
        task = asyncio.create_task(self._look_on(connection))
        try:
            yield self
        finally:
            task.cancel()
            await asyncio.wait({task})
            connection.terminate()

    async def _look_on(self, connection: asyncpg.Connection[asyncpg.Record]) -> None:
        async def look() -> bool:
            for name, epoch, checkpoint in await connection.fetch(PLACES):
                now, last = (epoch, checkpoint), self._last.get(name, (0, 0))
                if now[0] < last[0] or now[1] < last[1]:
                    self.went_back.append(f"{name}: {last} became {now}")
                self._last[name] = now
            self.looks += 1
            return False

        await until(look, WATCH_SECONDS, "the end of the block")


@pytest.mark.long
@pytest.mark.parametrize("step", STEPS)
async def test_a_leader_frozen_at_a_step_writes_nothing_when_it_wakes_up(
    cluster: ClusterUnderTest, seed: int, step: str
) -> None:
    """It slept through the end of its term in the middle of its work, half a minute long."""
    leader, other = cluster.installation.loops
    async with cluster.under_load(seed) as load, Watch(cluster.installation.dsn).kept() as watch:
        await other.kill()
        await leader.kill()
        await leader.spawn(f"{step}:{10 + seed}:stop")

        async def is_frozen() -> bool:
            return psutil.Process(leader.pid).status() == psutil.STATUS_STOPPED

        await until(is_frozen, PATIENCE, f"a leader frozen at {step}")
        frozen_at = asyncio.get_running_loop().time()
        before = await epochs(cluster.installation.dsn)
        await other.start()
        load.cycles += 1
        load.recovered("leadership", await all_beyond(cluster.installation.dsn, before))

        async def slept_long() -> bool:
            return asyncio.get_running_loop().time() - frozen_at >= FROZEN_SECONDS

        await until(slept_long, PATIENCE, "half a minute")
        leader.resume()
        await load.answers(40)
        await leader.kill()
        await leader.start()
    assert watch.looks > 0
    assert watch.went_back == []


async def test_a_frozen_leader_is_replaced_and_fenced_off(
    cluster: ClusterUnderTest, seed: int
) -> None:
    dsn = cluster.installation.dsn
    leader, other = cluster.installation.loops
    async with cluster.under_load(seed) as load:
        before = await epochs(dsn)
        for loops in (leader, other):
            await loops.kill()
        await leader.start()
        await all_beyond(dsn, before)
        await other.start()
        before = await epochs(dsn)
        leader.freeze()
        load.cycles += 1
        load.recovered("leadership", await all_beyond(dsn, before))
        await load.answers(20)
        leader.resume()
        await load.answers(20)
