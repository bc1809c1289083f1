"""Real process memory of a cached seat, and the time until a cold hall of 100,000 can be booked.

`python -m tests.bench.memory <seats>` prints the bytes a seat of a group in this process's cache.
"""

from __future__ import annotations

import gc
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from uuid import uuid4

import asyncpg
import psutil

from shared.domain.group import Group, evolve
from shared.eventlog.postgres import PostgresEventStore
from shared.eventlog.snapshot import encode_snapshot, freeze
from shared.eventlog.store import Entry
from tests.harness.events.ledger import booked, created

SEATS = (50_000, 90_000, 180_000)
CHECKOUT = Path(__file__).resolve().parents[2]


def bytes_per_seat() -> float:
    """The worst of several sizes, each in a fresh process: dictionaries grow in steps."""
    command = (sys.executable, "-m", "tests.bench.memory")
    return max(
        float(subprocess.check_output((*command, str(seats)), cwd=CHECKOUT)) for seats in SEATS
    )


def grown(seats: int) -> float:
    """Bytes a seat that this process grew by."""
    process, group_id = psutil.Process(), uuid4()
    group = evolve(Group(group_id), created(group_id, seats).event)
    gc.collect()
    before = process.memory_info().rss
    for number in range(seats):
        evolve(group, booked(uuid4(), current_seats=number + 1).event)
    gc.collect()
    return (process.memory_info().rss - before) / seats


async def cold_group(dsn: str, seats: int = 100_000, batch: int = 1_000) -> float:
    """Seconds, with the snapshot as far behind as it ever is: a sixteenth."""
    async with asyncpg.create_pool(dsn, min_size=1, max_size=2) as pool:
        store, group_id = PostgresEventStore(pool, dsn), uuid4()
        await store.append([Entry(group_id, 0, [created(group_id, seats)])])
        version = 1
        while version < seats:
            events = [booked(uuid4(), current_seats=version + n) for n in range(batch)]
            await store.append([Entry(group_id, version, events)])
            version += batch
            if version == 1 + batch * (seats * 15 // 16 // batch):
                group, _ = await store.read_group(group_id)
                state = encode_snapshot(freeze(group))
                await store.save_snapshot(group_id, group.version, state)
        times: list[float] = []
        for _ in range(5):
            began = time.perf_counter()
            group, _ = await store.read_group(group_id)
            times.append(time.perf_counter() - began)
            assert len(group.seats) == seats
        await store.close()
    return median(times)


if __name__ == "__main__":
    sys.stdout.write(f"{grown(int(sys.argv[1])):.0f}\n")
