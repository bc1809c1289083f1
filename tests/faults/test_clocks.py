"""Fault 13: every process has a date of its own, which is set and stopped while bookings go on."""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest_asyncio

from tests.harness.house import House
from tests.harness.http_clients import client_session
from tests.harness.installation import ServiceProcess
from tests.harness.waiting import until
from tests.harness.wall_clocks import STOPPED, WallClock, libfaketime

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


async def until_it_shows(process: ServiceProcess, year: int) -> None:
    """Until the `Date` of its answers is of that year."""

    async def shows() -> bool:
        async with session.get(f"{process.url}/health/live") as response:
            return parsedate_to_datetime(response.headers["Date"]).year == year

    async with client_session() as session:
        await until(shows, 30, f"a date of {year}")


def turn(clock: WallClock, step: int | None) -> None:
    if step is None:
        clock.stop()
    else:
        clock.set_off(step)


async def test_dates_that_jump_change_neither_order_nor_safety(
    house: House, clocks: list[WallClock], seed: int
) -> None:
    """Leases, terms and idempotency go by the database and by what counts seconds."""
    serving = [*house.installation.commands, *house.installation.queries]
    async with house.under_load(seed, groups=8, seats=60) as load:
        for cycle in range(len(STEPS)):
            for number, clock in enumerate(clocks):
                turn(clock, STEPS[(cycle + number) % len(STEPS)])
            await until_it_shows(serving[(STEPS.index(None) - cycle) % len(STEPS)], STOPPED.year)
            load.cycles += 1
            load.recovered("bookings after the dates were set", await load.bookings(40))
    for process in house.installation.processes:
        await process.stop()
