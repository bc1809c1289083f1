"""Watchdog of the event loop: a delay is counted and logged; a loop that never comes back ends the
process, and whoever supervises it starts another.

The kernel counts the processor time since the loop's last turn (ITIMER_PROF) and ends the process
with SIGPROF, whose default action needs no turn of the interpreter: a regular expression gives none
to any thread or signal handler. Time in which the process did not run (stopped, a suspended
machine, a busy neighbour) and waiting for a disk do not count.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from time import monotonic, process_time
from typing import Any, Final, TypeVar

import structlog

from shared.runtime.metrics import LOOP_BLOCKED

T = TypeVar("T")
BEAT_SECONDS: Final = 0.05
BLOCKED_SECONDS: Final = 0.25
BUSY_SHARE: Final = 0.5
"""Of the time without a turn: below it the process mostly waited, or was not given a processor."""
_log = structlog.get_logger("seatledger.loop")


async def watched(work: Coroutine[Any, Any, T], seconds: float) -> T:
    """Does the work on a loop that is watched."""
    async with watching(seconds):
        return await work


@asynccontextmanager
async def watching(seconds: float) -> AsyncIterator[None]:
    """Inside the block the process ends when it has used so many seconds of processor time without
    a turn of this loop; 0: it never does, so that a debugger or profiler may hold it up."""
    if seconds:
        signal.signal(signal.SIGPROF, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGPROF})
        if os.getpid() == 1:
            _log.warning("no_watchdog", reason="the kernel spares process 1: run it under an init")
    watchdog = _Watchdog(asyncio.get_running_loop(), seconds)
    watchdog.beat()
    try:
        yield
    finally:
        watchdog.stop()


def how_it_ended(status: int | str | None) -> str:
    """A process's exit status, for a log line."""
    if status == -signal.SIGPROF:
        return f"{status} (SIGPROF: its event loop had no turn, see SEATLEDGER_WATCHDOG_SECONDS)"
    return str(status)


class _Watchdog:
    """Looks at every beat how long the last one took, and begins the count anew."""

    def __init__(self, loop: asyncio.AbstractEventLoop, seconds: float) -> None:
        self._loop = loop
        self._seconds = seconds
        self._last, self._used = monotonic(), process_time()
        self._next: asyncio.TimerHandle | None = None

    def beat(self) -> None:
        now, used = monotonic(), process_time()
        if now - self._last >= BLOCKED_SECONDS:
            _note(now - self._last, used - self._used)
        self._last, self._used = now, used
        if self._seconds:
            signal.setitimer(signal.ITIMER_PROF, self._seconds)
        self._next = self._loop.call_later(BEAT_SECONDS, self.beat)

    def stop(self) -> None:
        if self._next is not None:
            self._next.cancel()
        if self._seconds:
            signal.setitimer(signal.ITIMER_PROF, 0)


def _note(seconds: float, used: float) -> None:
    how = "busy" if used >= seconds * BUSY_SHARE else "waiting"
    LOOP_BLOCKED.add((how,))
    _log.warning(
        "loop_blocked", seconds=round(seconds, 3), processor_seconds=round(used, 3), how=how
    )
