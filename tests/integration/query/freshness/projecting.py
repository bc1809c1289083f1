"""Two projectors as real processes, one of which is killed or frozen again and again."""

from __future__ import annotations

import asyncio
import base64
import random
import signal
import sys
from types import TracebackType
from typing import Self

from services.query.projection.projector import Projector
from services.query.projection.schema import prepare
from services.query.reads.fresh_reads import FreshReads
from tests.integration.query.conftest import wait_until_projected
from tests.integration.query.scenario import MASTER

MASTER_TEXT = base64.b64encode(b"m" * 32).decode()
PAUSE_SECONDS = (0.2, 2.0)
FROZEN_SECONDS = (0.5, 7.0)
"""Some shorter than a lease and some longer: its successor projects when the frozen one wakes."""


class Projectors:
    """They run, and fare badly, inside the block."""

    def __init__(self, dsn: str, seed: int) -> None:
        self.kills = self.freezes = 0
        self._dsn = dsn
        self._chance = random.Random(seed)
        self._over = asyncio.Event()
        self._processes: list[asyncio.subprocess.Process] = []

    @property
    def were_troubled(self) -> bool:
        """Whether at least one was killed, and one frozen and let go on."""
        return self.kills > 0 and self.freezes > 0

    async def __aenter__(self) -> Self:
        self._processes = [await self._started() for _ in range(2)]
        self._troubling = asyncio.create_task(self._trouble())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._over.set()
        await self._troubling
        for process in self._processes:
            await _killed(process)

    async def _trouble(self) -> None:
        while not self._over.is_set():
            await self._pause(*PAUSE_SECONDS)
            victim = self._chance.randrange(2)
            if self.freezes < self.kills:
                await self._freeze(self._processes[victim])
            else:
                await _killed(self._processes[victim])
                self._processes[victim] = await self._started()
                self.kills += 1

    async def _freeze(self, process: asyncio.subprocess.Process) -> None:
        process.send_signal(signal.SIGSTOP)
        await self._pause(*FROZEN_SECONDS)
        process.send_signal(signal.SIGCONT)
        self.freezes += 1

    async def _started(self) -> asyncio.subprocess.Process:
        module = "tests.integration.query.freshness.projector_process"
        return await asyncio.create_subprocess_exec(sys.executable, "-m", module, self._dsn)

    async def _pause(self, least: float, most: float) -> None:
        over = asyncio.ensure_future(self._over.wait())
        await asyncio.wait({over}, timeout=self._chance.uniform(least, most))
        over.cancel()


async def _killed(process: asyncio.subprocess.Process) -> None:
    process.kill()
    await process.wait()


async def projected(dsn: str) -> None:
    """Returns once everything that the log has now is projected, by a projector of its own."""
    await prepare(dsn)
    projector, reads = Projector(dsn, MASTER), FreshReads(dsn, MASTER)
    running = asyncio.create_task(projector.run())
    try:
        await wait_until_projected(reads, (await reads.positions()).head)
    finally:
        projector.stop()
        await running
        await reads.close()
