"""A throttle for those who look at the log: a sale's commits are read together.

Whoever looks after a longer pause looks at once: what comes alone never waits.
"""

from __future__ import annotations

import asyncio


class Rest:
    """At least `seconds` from one `take` to the next."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._until = 0.0

    async def take(self) -> None:
        loop = asyncio.get_running_loop()
        if (left := self._until - loop.time()) > 0:
            await asyncio.sleep(left)
        self._until = loop.time() + self._seconds
