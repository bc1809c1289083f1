"""Lets the machine come to rest between two loads, so that nobody pays for what another left.

A peer goes on for a while after its load generator has gone: threads that work off their queue, a
vacuum of dead rows. Without a rest its successor's slowest requests were the peer's.
"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

LOOK_SECONDS = 0.2
MOST_BUSY = 0.15
GIVE_UP_SECONDS = 20.0


async def rest() -> bool:
    """Waits until the processors are idle but for MOST_BUSY; False when they never were."""
    give_up_at = time.monotonic() + GIVE_UP_SECONDS
    while time.monotonic() < give_up_at:
        if await _busy_share() <= MOST_BUSY:
            return True
    return False


async def _busy_share() -> float:
    before = _ticks()
    await asyncio.sleep(LOOK_SECONDS)
    busy, total = (after - one for after, one in zip(_ticks(), before, strict=True))
    return busy / max(total, 1)


def _ticks() -> tuple[int, int]:
    """Of all processors since the start: busy ones, and all."""
    numbers = [int(one) for one in Path("/proc/stat").read_text().splitlines()[0].split()[1:]]
    idle = sum(numbers[3:5])
    return sum(numbers[:8]) - idle, sum(numbers[:8])
