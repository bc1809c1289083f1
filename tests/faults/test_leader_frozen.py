"""Fault 4: a frozen leader is replaced, and writes nothing when it wakes up."""

from __future__ import annotations

import asyncpg

from tests.harness.house import House
from tests.harness.waiting import until

PATIENCE = 120.0
EPOCHS = "SELECT name, epoch FROM followers"


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


async def test_a_frozen_leader_is_replaced_and_fenced_off(house: House, seed: int) -> None:
    dsn = house.installation.dsn
    leader, other = house.installation.loops
    async with house.under_load(seed) as load:
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
