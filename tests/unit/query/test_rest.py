"""Two looks are a moment apart; what comes alone never waits."""

from __future__ import annotations

import asyncio

from shared.eventlog.throttle import Rest


async def test_looks_are_apart_and_the_first_comes_at_once() -> None:
    loop, rest = asyncio.get_running_loop(), Rest(0.05)
    times = []
    for _ in range(3):
        await rest.take()
        times.append(loop.time())
    assert times[1] - times[0] >= 0.049
    assert times[2] - times[1] >= 0.049


async def test_after_a_longer_pause_nothing_is_waited_for() -> None:
    rest = Rest(0.0)
    await rest.take()
    resting = rest.take()
    try:
        resting.send(None)
    except StopIteration:
        return
    raise AssertionError("it waited")
