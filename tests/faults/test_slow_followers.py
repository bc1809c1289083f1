"""Faults 14 and 16: followers far behind catch up within bounds; too many callers are queued."""

from __future__ import annotations

import psutil
import pytest

from tests.harness.house import House

MOST_BYTES = 400 * 1024 * 1024


@pytest.mark.long
async def test_followers_far_behind_catch_up_in_bounded_memory(house: House, seed: int) -> None:
    async with house.under_load(seed, seats=200) as load:
        for loops in house.installation.loops:
            await loops.kill()
        load.cycles += 1
        await load.bookings(150)
        for loops in house.installation.loops:
            await loops.start()
    for loops in house.installation.loops:
        assert psutil.Process(loops.pid).memory_info().rss < MOST_BYTES


async def test_two_hundred_callers_at_once_are_all_answered(house: House, seed: int) -> None:
    async with house.under_load(seed, callers=200, groups=2, seats=150) as load:
        await load.answers(400)
        load.cycles += 1
