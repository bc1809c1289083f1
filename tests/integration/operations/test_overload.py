"""Five times what it can do: it goes on doing what it can, and refuses the rest at once."""

from __future__ import annotations

import statistics

import aiohttp
import pytest

from tests.integration.operations.flood import Flood
from tests.integration.operations.serving import ALONE, auth, new_group, whole

AT_ONCE = 32
LINES = 400
REFUSED_SECONDS = 0.05
ROUNDS = 3
SHARED_BY = 4
"""Sender and service share the cores, so that what is taken falls although nothing collapses."""


async def _holds(flood: Flood) -> bool:
    """Whether it answers what it can and refuses at once: in a round that others left in peace."""
    alone = await flood.run_closed(AT_ONCE, 1.0)
    flooded = await flood.run(5 * alone.taken_rate, 1.5)
    print(f"\nalone: {alone.describe()}\nflooded: {flooded.describe()}")
    assert alone.refused == [] and flooded.other == []
    at_once = statistics.median(flooded.refused) < REFUSED_SECONDS
    return at_once and flooded.taken_rate > alone.taken_rate / SHARED_BY


@pytest.mark.slow
async def test_at_five_times_its_capacity_it_serves_on_and_refuses_the_rest_at_once(
    database_url: str,
) -> None:
    limits = {"SEATLEDGER_MAX_IN_PROGRESS": str(AT_ONCE), **ALONE}
    async with (
        whole(database_url, **limits) as (installation, process),
        aiohttp.ClientSession() as session,
    ):
        async with session.post(
            f"{process.url}/v2/bookings", json=new_group(1_000_000), headers=auth(installation.key)
        ) as made:
            flood = Flood(process.port, installation.key, (await made.json())["data"]["id"])
        await flood.open(LINES)
        rounds = 0
        while not await _holds(flood):
            rounds += 1
            assert rounds < ROUNDS
        flood.close()
        async with session.get(f"{process.url}/health/ready") as answer:
            assert answer.status == 200
