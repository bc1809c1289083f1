"""Fault 13: every process has a date of its own, which is set and stopped while bookings go on."""

from __future__ import annotations

from pathlib import Path

import pytest_asyncio

from tests.harness.house import House
from tests.harness.wall_clocks import WallClock, libfaketime

HOUR = 3600
STEPS = (HOUR, -HOUR, 0, None)
"""Seconds ahead of the true time; None: the clock stands still."""


@pytest_asyncio.fixture
async def clocks(house: House, tmp_path: Path) -> list[WallClock]:
    """One a process, each started anew to go by it."""
    library = await libfaketime()
    processes = house.installation.processes
    clocks = [WallClock(library, tmp_path / f"clock-{n}") for n in range(len(processes))]
    for process, clock in zip(processes, clocks, strict=True):
        await process.stop()
        await process.start(**clock.env)
    return clocks


def turn(clock: WallClock, step: int | None) -> None:
    if step is None:
        clock.stop()
    else:
        clock.set_off(step)


async def test_dates_that_jump_change_neither_order_nor_safety(
    house: House, clocks: list[WallClock], seed: int
) -> None:
    """Leases, terms and idempotency go by the database and by what counts seconds."""
    async with house.under_load(seed, groups=8, seats=60) as load:
        for cycle in range(len(STEPS)):
            for number, clock in enumerate(clocks):
                turn(clock, STEPS[(cycle + number) % len(STEPS)])
            load.cycles += 1
            load.recovered("bookings after the dates were set", await load.bookings(40))
    for process in house.installation.processes:
        await process.stop()
