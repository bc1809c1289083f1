"""Fault 13: processes and database have dates of their own, set and stopped under load.

libfaketime is loaded into a process before the C library (the distribution's package, unpacked,
not installed). What counts seconds goes on as ever, as on a machine whose date is set.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio

from deploy.local.postgres.server import PrivatePostgres
from deploy.local.rabbitmq.debian_copy import copy_of
from tests.harness.callers.http_clients import client_session
from tests.harness.servers.private import remove_folder, temporary_folder
from tests.harness.services.cluster_under_test import ClusterUnderTest, cluster_at
from tests.harness.services.installation import ServiceProcess
from tests.harness.waiting import until

HOUR = 3600
STEPS = (HOUR, -HOUR, 0, None)
"""Seconds ahead of the true time; None: the clock stands still."""

PATTERN = "usr/lib/*/faketime/libfaketimeMT.so.1"
STOPPED = datetime(2000, 1, 1)
LOOK_SECONDS = "1"
"""How often a process looks at its clock's file."""


async def libfaketime() -> Path:
    """The library, fetched when it is neither installed nor in the cache."""
    return _below(Path("/")) or _below(await copy_of("libfaketime")) or _missing()


def _below(root: Path) -> Path | None:
    return next(root.glob(PATTERN), None)


def _missing() -> Path:
    raise FileNotFoundError("the package libfaketime has no " + PATTERN)


class WallClock:
    """A process's date, in a file that it looks at."""

    def __init__(self, library: Path, file: Path) -> None:
        self._library = library
        self._file = file
        self.set_off(0)

    @property
    def env(self) -> dict[str, str]:
        """What puts a process on this clock."""
        return {
            "LD_PRELOAD": str(self._library),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_CACHE_DURATION": LOOK_SECONDS,
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "DONT_FAKE_MONOTONIC": "1",
        }

    def set_off(self, seconds: int) -> None:
        """So many seconds ahead of the true time, or behind it."""
        self._file.write_text(f"{seconds:+d}\n")

    def stop(self) -> None:
        """It stands still, at a time long ago."""
        self._file.write_text(f"{STOPPED:%Y-%m-%d %H:%M:%S}\n")


@pytest_asyncio.fixture
async def clocks(cluster: ClusterUnderTest, tmp_path: Path) -> list[WallClock]:
    """One a process, each started anew to go by it."""
    library = await libfaketime()
    processes = cluster.installation.processes
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
    cluster: ClusterUnderTest, clocks: list[WallClock], seed: int
) -> None:
    """Leases, terms and idempotency go by the database and by what counts seconds."""
    serving = [*cluster.installation.commands, *cluster.installation.queries]
    async with cluster.under_load(seed, groups=8, seats=60) as load:
        for cycle in range(len(STEPS)):
            for number, clock in enumerate(clocks):
                turn(clock, STEPS[(cycle + number) % len(STEPS)])
            await until_it_shows(serving[(STEPS.index(None) - cycle) % len(STEPS)], STOPPED.year)
            load.cycles += 1
            load.recovered("bookings after the dates were set", await load.bookings(40))
    for process in cluster.installation.processes:
        await process.stop()


@pytest_asyncio.fixture
async def dated() -> AsyncIterator[tuple[PrivatePostgres, WallClock]]:
    """A database server that goes by a clock of its own."""
    folder = temporary_folder()
    postgres, clock = PrivatePostgres(folder), WallClock(await libfaketime(), folder / "clock")
    await postgres.prepare()
    postgres.program.env = {**postgres.program.env, **clock.env}
    await postgres.start()
    yield postgres, clock
    await postgres.stop()
    remove_folder(folder)


@pytest.mark.long
async def test_the_date_of_the_database_may_jump(
    dated: tuple[PrivatePostgres, WallClock], amqp_url: str, seed: int
) -> None:
    """The times in the log jump with it, and decide nothing: neither its order nor who leads."""
    postgres, clock = dated
    watcher = await asyncpg.connect(postgres.dsn)
    async with (
        cluster_at(postgres.dsn, amqp_url) as cluster,
        cluster.under_load(seed, seats=60) as load,
    ):
        for ahead in (HOUR, -HOUR, 0):
            await load.bookings(20)
            clock.set_off(ahead)
            await until(partial(is_ahead, watcher, ahead), 30, "another date")
            load.cycles += 1
            load.recovered("bookings after the date was set", await load.bookings(20))
    await watcher.close()


async def is_ahead(watcher: asyncpg.Connection[asyncpg.Record], seconds: int) -> bool:
    """Whether the database's date is so many seconds ahead of the true one."""
    told: datetime = await watcher.fetchval("SELECT clock_timestamp()")
    return abs((told - datetime.now(UTC)).total_seconds() - seconds) < HOUR / 2
