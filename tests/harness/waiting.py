"""Waits until a condition holds, never for a time, and returns how long it took."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

POLL_SECONDS = 0.02


async def until(
    condition: Callable[[], Awaitable[object]], seconds: float = 30.0, what: str = "it"
) -> float:
    """Returns once the condition holds; AssertionError when it does not within `seconds`."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    while loop.time() - began < seconds:
        if await condition():
            return loop.time() - began
        await asyncio.sleep(POLL_SECONDS)
    raise AssertionError(f"{what} did not come true within {seconds:g} s")
