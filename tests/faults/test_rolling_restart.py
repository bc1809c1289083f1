"""Fault 25: SIGTERM at full load drains and ends; nobody gets a wrong answer."""

from __future__ import annotations

import time

from tests.harness.house import House

GRACE_SECONDS = 30.0
"""Less than a supervisor waits before it kills."""


async def test_each_kind_of_process_may_be_restarted_under_load(house: House, seed: int) -> None:
    kinds = (house.installation.commands, house.installation.queries, house.installation.loops)
    async with house.under_load(seed) as load:
        for process in (kind[seed % len(kind)] for kind in kinds):
            began = time.monotonic()
            await process.stop()
            load.recovered(f"drained {process.module}", time.monotonic() - began, GRACE_SECONDS)
            assert await process.ended() == 0, process.last_words()
            load.cycles += 1
            await process.start()
        await load.answers(20)
