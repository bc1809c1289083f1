"""How many events a second one process projects, live and in a rebuild: `python -m` this module.

The server keeps what it acknowledges, as in `make run`. Nine of ten events book a seat, with a
person's data to open; the rest cancel one.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from contextlib import suppress
from uuid import UUID

import asyncpg
import psutil

from services.query.projection.projector import Projector
from services.query.projection.rebuild.rebuild import Progress, Rebuild
from services.query.projection.schema import prepare
from services.query.reads.fresh_reads import FreshReads
from shared.eventlog.postgres import PostgresEventStore
from shared.runtime.event_loop import calm_collector, run
from tests.harness.servers.private import own_database
from tests.integration.query.scenario import MASTER, Scenario

MASTER_BYTES = b"m" * 32
GROUPS = 200
APPEND = 250
LOOK_SECONDS = 0.02


async def fill(dsn: str, events: int) -> Scenario:
    """A log of about `events` events over GROUPS groups."""
    pool = await asyncpg.create_pool(dsn, min_size=1, max_size=2)
    scenario = Scenario(PostgresEventStore(pool, dsn))
    groups = [await scenario.create(max_seats=1_000_000) for _ in range(GROUPS)]
    number = 0
    while scenario.position < events:
        group_id = groups[number % GROUPS]
        number += 1
        booked = await scenario.book_many(group_id, APPEND)
        await _cancel_some(scenario, group_id, booked[::10])
    await scenario.store.close()
    await pool.close()
    return scenario


async def _cancel_some(scenario: Scenario, group_id: UUID, bookings: list[UUID]) -> None:
    for booking_id in bookings:
        await scenario.cancel(group_id, booking_id)


class Costs:
    """Seconds that pass, and processor seconds of this process, its children and PostgreSQL."""

    def __init__(self, postmaster: psutil.Process) -> None:
        self._postmaster = postmaster
        self._began = self._now()

    def __str__(self) -> str:
        seconds, python, postgres = self.spent()
        cores = os.cpu_count() or 1
        binds = "Python" if python > postgres else "PostgreSQL"
        return (
            f"busy {python / seconds:.2f} cores in Python, {postgres / seconds:.2f} in PostgreSQL, "
            f"of {cores}: {binds} binds"
        )

    def of_each(self, events: int) -> str:
        """Processor time an event, which other work on the machine changes little."""
        _, python, postgres = (spent / events * 1e6 for spent in self.spent())
        return f"{python:.0f} µs in Python and {postgres:.0f} µs in PostgreSQL an event"

    def spent(self) -> tuple[float, float, float]:
        """Seconds, and processor seconds of Python and PostgreSQL, so far."""
        passed, python, postgres = (
            now - then for now, then in zip(self._now(), self._began, strict=True)
        )
        return passed, python, postgres

    def _now(self) -> tuple[float, float, float]:
        server = [self._postmaster, *self._postmaster.children()]
        mine = set(psutil.Process().children(recursive=True)) - set(server)
        python = sum(map(_used, [psutil.Process(), *mine]))
        return time.perf_counter(), python, sum(map(_used, server))


def _used(process: psutil.Process) -> float:
    """Of the process, and of its children that have ended."""
    with suppress(psutil.NoSuchProcess):
        times = process.cpu_times()
        return times.user + times.system + times.children_user + times.children_system
    return 0.0


async def postmaster(dsn: str) -> psutil.Process:
    """The server's first process."""
    connection = await asyncpg.connect(dsn)
    backend = psutil.Process(await connection.fetchval("SELECT pg_backend_pid()"))
    first = backend.parent()
    await connection.close()
    if first is None:
        raise SystemExit("the server has no first process")
    return first


async def live(dsn: str, head: int) -> None:
    """Projects the whole log in live batches."""
    await prepare(dsn)
    calm_collector()  # as the loops' own process does
    server = await postmaster(dsn)
    reads = FreshReads(dsn, MASTER)
    projector = Projector(dsn, MASTER)
    task = asyncio.create_task(projector.run())
    await _until_projected(reads, 1)
    costs = Costs(server)
    began = (await reads.positions()).projected
    await _until_projected(reads, head)
    events = head - began
    print(f"live: {events / costs.spent()[0]:,.0f} events/s; {costs.of_each(events)}; {costs}")
    projector.stop()
    await task
    await reads.close()


async def _until_projected(reads: FreshReads, position: int) -> None:
    while True:
        if (await reads.positions()).projected >= position:
            return
        await asyncio.sleep(LOOK_SECONDS)


async def rebuilt(dsn: str, head: int, workers: int) -> None:
    """Fills the next read models with `workers` processes, as `seatledger replay` does."""
    costs = Costs(await postmaster(dsn))
    phases: dict[str, tuple[float, float, float]] = {}

    def tell(now: Progress) -> None:
        if now.phase not in phases:
            phases[now.phase] = costs.spent()

    await Rebuild(dsn, MASTER_BYTES, workers, tell).run()
    filled, python, postgres = phases["indexes"]
    whole = costs.spent()
    print(
        f"rebuild with {workers} processes: {head / filled:,.0f} events/s filling "
        f"({python / head * 1e6:.0f} µs in Python and {postgres / head * 1e6:.0f} µs in PostgreSQL "
        f"an event, busy {(python + postgres) / filled:.2f} cores); "
        f"{head / whole[0]:,.0f} events/s with indexes and comparing; {whole[0]:.1f} s in all"
    )


async def main(events: int) -> None:
    async with own_database() as dsn:
        scenario = await fill(dsn, events)
        print(f"{scenario.position:,} events in the log, {os.getloadavg()[0]:.1f} load before")
        await live(dsn, scenario.position)
        for workers in (1, 2):
            await rebuilt(dsn, scenario.position, workers)


if __name__ == "__main__":
    run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 200_000))
