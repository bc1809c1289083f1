"""Supervisor of child processes: restarts what ends, after a pause; stops all in reverse order."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from deploy.local.processes.program import Program, StartFailure
from shared.runtime.watchdog import how_it_ended

FIRST_PAUSE, LONGEST_PAUSE = 0.2, 10.0
LONG_ENOUGH = 30.0  # after running that long, a program has earned a short pause again


class Supervisor:
    """Programs by stage: a higher stage stops before a lower one, those of one stage together."""

    def __init__(
        self, tell: Callable[[str], None], on_change: Callable[[list[Program]], None]
    ) -> None:
        self._tell = tell
        self._on_change = on_change
        self._stages: dict[int, list[Program]] = {}
        self._watchers: list[asyncio.Task[None]] = []

    @property
    def programs(self) -> list[Program]:
        return [program for stage in self._stages.values() for program in stage]

    async def start(self, program: Program, *, stage: int) -> None:
        """Returns when it is ready; from then on it is started again whenever it ends."""
        self._stages.setdefault(stage, []).append(program)
        await program.spawn()
        self._on_change(self.programs)
        await program.wait_ready()
        self._watchers.append(asyncio.create_task(self._watch(program)))

    async def stop(self) -> None:
        """Stops all it started, the last stage first."""
        for watcher in self._watchers:
            watcher.cancel()
        await asyncio.gather(*self._watchers, return_exceptions=True)
        for _, programs in sorted(self._stages.items(), reverse=True):
            await asyncio.gather(*(program.stop() for program in programs))

    def kill(self) -> None:
        """Ends all of it at once."""
        for program in self.programs:
            program.kill()

    async def _watch(self, program: Program) -> None:
        pause = FIRST_PAUSE
        while program.process is not None:
            began = time.monotonic()
            code = await program.process.wait()
            if time.monotonic() - began > LONG_ENOUGH:
                pause = FIRST_PAUSE
            ended = how_it_ended(code)
            self._tell(f"{program.name} ended ({ended}), starting it again in {pause:.1f} s")
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)
            await self._start_again(program)

    async def _start_again(self, program: Program) -> None:
        try:
            await program.spawn()
            self._on_change(self.programs)
            await program.wait_ready()
        except (StartFailure, OSError) as failure:
            self._tell(str(failure))
