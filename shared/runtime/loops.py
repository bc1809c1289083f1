"""Loops that run beside everything else: started with a block, told to stop at its end, awaited."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Protocol


class Loop(Protocol):
    """An agent: works until it is told to stop, and ends what is under way first."""

    async def run(self) -> None: ...

    def stop(self) -> None: ...


@asynccontextmanager
async def running(*loops: Loop) -> AsyncGenerator[None, None]:
    """They run inside the block. At its end all are told to stop before any is waited for; what
    one of them failed with is raised then."""
    tasks = [asyncio.create_task(loop.run(), name=type(loop).__name__) for loop in loops]
    try:
        yield
    finally:
        for loop in loops:
            loop.stop()
        if tasks:
            await asyncio.wait(tasks)
    for task in tasks:
        if not task.cancelled():
            task.result()
