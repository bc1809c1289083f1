"""Supervisor of child processes: restarts those that fail, and ends them all with their parent."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import logging
import os
import signal
import sys
from collections.abc import Callable, Sequence

from shared.runtime.metrics import CHILD_RESTARTS
from shared.runtime.watchdog import how_it_ended

RESTART_SECONDS = (0.2, 10.0)
STOP_SECONDS = 12.0
PR_SET_PDEATHSIG = 1
IDLE = 20
"""Beyond the highest niceness: Linux then counts a core that runs only such work as a free one."""
_log = logging.getLogger(__name__)
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


class Child:
    """One `python -m` child: `run()` keeps it running, `stop()` ends it in good order."""

    def __init__(
        self,
        name: str,
        module: Sequence[str],
        niceness: int = 0,
        pass_fds: Sequence[int] = (),
        stop_seconds: float = STOP_SECONDS,
    ) -> None:
        self.name = name
        self.falls = 0
        self._stop_seconds = stop_seconds
        self._argv = (sys.executable, "-m", *module)
        self._niceness = niceness
        self._pass_fds = tuple(pass_fds)
        self._process: asyncio.subprocess.Process | None = None
        self._stopping = False

    async def run(self) -> None:
        """Start it, and again whenever it ends, with a growing pause, until `stop()`."""
        loop = asyncio.get_running_loop()
        pause = RESTART_SECONDS[0]
        while not self._stopping:
            started = loop.time()
            status = await self._ended()
            if self._stopping:
                return
            self.falls += 1
            CHILD_RESTARTS.add((self.name,))
            ended = how_it_ended(status)
            _log.error("%s ended with status %s: starting it again", self.name, ended)
            pause = RESTART_SECONDS[0] if loop.time() - started > 30 else pause * 2
            await asyncio.sleep(min(pause, RESTART_SECONDS[1]))

    @property
    def pid(self) -> int | None:
        """Its process, while there is one."""
        process = self._process
        return process.pid if process is not None and process.returncode is None else None

    async def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """A signal to end, and SIGKILL when that is not enough."""
        self._stopping = True
        process = self._process
        if process is None or process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(how)
        try:
            await asyncio.wait_for(process.wait(), self._stop_seconds)
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def _ended(self) -> int | str:
        """How it ended, or why it could not begin."""
        try:
            return await self._once()
        except OSError as error:
            return f"{type(error).__name__} {error.errno}"

    async def _once(self) -> int:
        self._process = await asyncio.create_subprocess_exec(
            *self._argv,
            stdin=asyncio.subprocess.DEVNULL,
            pass_fds=self._pass_fds,
            preexec_fn=_bound_to_parent(os.getpid(), self._niceness),
        )
        return await self._process.wait()


def _bound_to_parent(parent: int, niceness: int) -> Callable[[], None]:
    def bind() -> None:
        os.setpgrp()  # no session of its own: Linux weighs sessions alike, whatever the niceness
        if _libc is not None:
            _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
            if os.getppid() != parent:
                os._exit(1)
        os.nice(niceness)
        if niceness >= IDLE and sys.platform == "linux":
            with contextlib.suppress(OSError):  # where a container forbids it, niceness remains
                os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))

    return bind
