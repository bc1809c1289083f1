"""Pre-fork workers on one listening socket, replaced one by one without dropping a connection.

On SIGHUP each worker is ended only once its successor serves, so that a version that cannot start
changes nothing: the rest goes on as it was.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from services.children import Child
from shared.http.exposition import Place, laid_open, socket_of
from shared.http.server import stop_requested
from shared.runtime.settings import Settings

START_SECONDS = 60.0
LOOK_SECONDS = 0.02
DRAIN_SECONDS = 15.0
_log = logging.getLogger(__name__)


class Workers:
    """The workers of one parent, and the tasks that keep them running."""

    def __init__(self, settings: Settings, listener: socket.socket, folder: Path) -> None:
        listener.set_inheritable(True)
        self._descriptor = listener.fileno()
        self._stop_seconds = DRAIN_SECONDS + settings.lead_seconds
        self._folder = folder
        self._names = [f"worker-{number}" for number in range(1, settings.workers + 1)]
        self._minding: dict[Child, asyncio.Task[None]] = {}
        self._asked = asyncio.Event()

    async def run(self) -> None:
        """Until SIGTERM or SIGINT: mind them, and replace them on every SIGHUP."""
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self._asked.set)
        async with stop_requested() as stopped, laid_open(Place("parent", self._folder)):
            for name in self._names:
                self._start(name)
            replacing = asyncio.create_task(self._replace_when_asked())
            await stopped.wait()
            replacing.cancel()
            await asyncio.wait({replacing})
            await asyncio.gather(*(self._end(child) for child in list(self._minding)))

    async def _replace_when_asked(self) -> None:
        while True:
            await self._asked.wait()
            self._asked.clear()
            for child in list(self._minding):
                if not await self._replace(child):
                    break

    async def _replace(self, old: Child) -> bool:
        """False when the successor does not serve: it is ended, and the old one stays."""
        new = self._start(old.name)
        if await self._serves(new):
            await self._end(old, signal.SIGHUP)
            _log.warning("%s was replaced", old.name)
            return True
        _log.error("%s: its successor does not start, so nothing is replaced", old.name)
        await self._end(new)
        return False

    async def _serves(self, child: Child) -> bool:
        loop = asyncio.get_running_loop()
        until = loop.time() + START_SECONDS
        while not child.falls and loop.time() < until:
            path = socket_of(Place(child.name, self._folder), child.pid or 0)
            if path is not None and path.exists():
                return True
            await asyncio.sleep(LOOK_SECONDS)
        return False

    def _start(self, name: str) -> Child:
        module = ["services", "--worker", str(self._descriptor), name, str(self._folder)]
        child = Child(name, module, pass_fds=[self._descriptor], stop_seconds=self._stop_seconds)
        self._minding[child] = asyncio.create_task(child.run(), name=name)
        return child

    async def _end(self, child: Child, how: signal.Signals = signal.SIGTERM) -> None:
        await child.stop(how)
        await self._minding.pop(child)


@asynccontextmanager
async def running(children: Sequence[Child]) -> AsyncIterator[None]:
    """The children run inside the block and are gone after it."""
    tasks = [asyncio.create_task(child.run(), name=child.name) for child in children]
    try:
        yield
    finally:
        await asyncio.gather(*(child.stop() for child in children))
        await asyncio.gather(*tasks)
