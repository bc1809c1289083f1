"""The event loop the services run on: uvloop where it is to be had, asyncio's own elsewhere."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Coroutine
from importlib.util import find_spec
from typing import Any, TypeVar

T = TypeVar("T")


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    """The fastest loop that this platform has."""
    if find_spec("uvloop") is None:
        return asyncio.new_event_loop
    import uvloop

    return uvloop.new_event_loop


def run(work: Coroutine[Any, Any, T]) -> T:
    """Runs `work` to its end on a loop of its own."""
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        return runner.run(work)


def calm_collector() -> None:
    """For a process that serves: what was made at start is never looked at again, and the cycle
    collector runs after thousands of requests instead of a few; reference counts free the rest."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 50, 100)
