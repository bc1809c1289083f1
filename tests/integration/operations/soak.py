"""`make soak`: half an hour of bookings and reads on the whole service, and what memory it takes.

Every process must stay below its stated bound, and no request may fail. Groups come and go as in
life, so that a leak shows: what is kept for a group that nobody asks about any more is evicted.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import aiohttp

from deploy.local.postgres.server import PrivatePostgres
from shared.runtime.event_loop import run
from tests.harness.servers.private import remove_folder, temporary_folder
from tests.integration.operations.callers import Callers, calling
from tests.integration.operations.serving import processes, series_of, total, whole

BOUND_MIB = {"service": 512, "loops": 384, "publishing": 256}
"""The service: 256 MiB of cached groups, 110 MiB of code and connections, and room for bodies in
flight. The loops: batches and the projector's read-ahead; publishing: batches of messages."""
SAMPLE_SECONDS = 5.0
MIB = 1024 * 1024


class Memory:
    """Resident memory of every process over time, in MiB."""

    def __init__(self) -> None:
        self.samples: dict[str, list[float]] = defaultdict(list)

    async def sample(self, session: aiohttp.ClientSession, url: str) -> None:
        series = await series_of(session, url)
        for name in processes(series):
            resident = total(series, "process_resident_memory_bytes", process=name)
            self.samples[name].append(resident / MIB)

    def lines(self) -> list[str]:
        return [
            f"{name}: first {found[0]:.0f}, half-way {statistics.median(_middle(found)):.0f}, "
            f"last {found[-1]:.0f}, highest {max(found):.0f} MiB of {BOUND_MIB[name]} allowed"
            for name, found in sorted(self.samples.items())
        ]

    def above_bound(self) -> list[str]:
        return [name for name, found in self.samples.items() if max(found) > BOUND_MIB[name]]


def _middle(found: Sequence[float]) -> Sequence[float]:
    third = max(len(found) // 3, 1)
    return found[third : 2 * third] or found


async def soak(dsn: str, seconds: float, callers: int, per_second: float) -> tuple[Memory, Callers]:
    """Memory and callers after so long at (at most) so many requests a second."""
    memory = Memory()
    async with (
        whole(dsn, SEATLEDGER_MAX_IN_PROGRESS="512") as (installation, process),
        calling(process.url, installation.key, callers, per_second) as working,
        aiohttp.ClientSession() as session,
    ):
        until = time.monotonic() + seconds
        while time.monotonic() < until and not working.failures:
            await memory.sample(session, process.url)
            await asyncio.sleep(SAMPLE_SECONDS)
        await memory.sample(session, process.url)
    return memory, working


async def main(seconds: float, callers: int, per_second: float) -> int:
    folder = temporary_folder()
    cluster = PrivatePostgres(Path(folder))
    await cluster.start()
    try:
        memory, working = await soak(cluster.dsn, seconds, callers, per_second)
    finally:
        await cluster.stop()
        remove_folder(folder)
    rate = working.answered / seconds
    print(f"{seconds:.0f} s, {working.answered} requests answered ({rate:.0f}/s)")
    print(f"slowest {working.slowest * 1000:.0f} ms, failed: {working.failures or 'none'}")
    print("\n".join(memory.lines()))
    return 1 if working.failures or memory.above_bound() else 0


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seconds", type=float, default=1800)
    options.add_argument("--callers", type=int, default=16)
    options.add_argument("--per-second", type=float, default=0, help="0: as fast as it goes")
    chosen = options.parse_args()
    sys.exit(run(main(chosen.seconds, chosen.callers, chosen.per_second)))
