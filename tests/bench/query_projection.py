"""How many events a second one process projects, live and in a rebuild: `python -m` this module.

The server keeps what it acknowledges, as in `make run`. Nine of ten events book a seat, with a
person's data to open; the rest cancel one.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from resource import RUSAGE_SELF, getrusage
from uuid import UUID

import asyncpg

from deploy.local.postgres import PrivatePostgres
from services.query.freshness import FreshReads
from services.query.projection import prepare
from services.query.projector import Projector
from services.query.rebuild import Progress, Rebuild
from shared.booking_api.errors import NotFreshYet
from shared.event_loop import calm_collector, run
from shared.eventlog.postgres import PostgresEventStore
from shared.migrate import migrate
from tests.harness.servers import remove_folder, temporary_folder
from tests.integration.query.scenario import MASTER, Scenario

MASTER_BYTES = b"m" * 32
GROUPS = 200
APPEND = 250


@asynccontextmanager
async def ledger() -> AsyncIterator[str]:
    """A private migrated database."""
    folder = temporary_folder()
    cluster = PrivatePostgres(folder)
    await cluster.start()
    try:
        await migrate(cluster.dsn)
        yield cluster.dsn
    finally:
        await cluster.stop()
        remove_folder(folder)


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


async def live(dsn: str, head: int) -> None:
    """Projects the whole log in live batches."""
    await prepare(dsn)
    calm_collector()  # as the loops' own process does
    reads = FreshReads(dsn, MASTER)
    projector = Projector(dsn, MASTER)
    task = asyncio.create_task(projector.run())
    await _until_projected(reads, 1)
    at, cpu = time.perf_counter(), _cpu()
    began = (await reads.positions()).projected
    await _until_projected(reads, head)
    seconds, used = time.perf_counter() - at, _cpu() - cpu
    projector.stop()
    await task
    await reads.close()
    rate = (head - began) / seconds
    print(f"live: {rate:,.0f} events/s; this process busy {used / seconds:.0%} of a core")


async def _until_projected(reads: FreshReads, position: int) -> None:
    while True:
        with suppress(NotFreshYet):
            await reads.until_projected(position)
            return


async def rebuilt(dsn: str, head: int, workers: int) -> None:
    """Fills the next read models with `workers` processes, as `seatledger replay` does."""
    phases: dict[str, list[tuple[float, int]]] = {}

    def tell(now: Progress) -> None:
        phases.setdefault(now.phase, []).append((time.perf_counter(), now.done))

    began = time.perf_counter()
    await Rebuild(dsn, MASTER_BYTES, workers, tell).run()
    filled = phases["indexes"][0][0] - began
    verified = phases["verified groups"]
    print(
        f"rebuild with {workers} processes: {head / filled:,.0f} events/s filling, "
        f"{time.perf_counter() - began:.1f} s in all, "
        f"{verified[-1][0] - verified[0][0]:.1f} s of it verifying"
    )


def _cpu() -> float:
    usage = getrusage(RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


async def main(events: int) -> None:
    async with ledger() as dsn:
        scenario = await fill(dsn, events)
        print(f"{scenario.position:,} events in the log")
        await live(dsn, scenario.position)
        for workers in (1, 2):
            await rebuilt(dsn, scenario.position, workers)


if __name__ == "__main__":
    run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000))
