"""`python -m services`: both services on one port, and the loops in children of lower priority.

With SEATLEDGER_WORKERS above 1 the parent only listens and minds its children, which inherit the
socket, so that a restart drops no connection.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any

from services.children import IDLE, Child
from services.serving import serve_both
from services.workers import Workers, running
from shared.http.application import first_listener
from shared.http.exposition import Place
from shared.http.server import inherited
from shared.runtime.settings import Settings
from shared.runtime.starting import start

LOOPS_NICENESS = {"projecting": 10, "publishing": IDLE}
"""Reads wait for the projector; messages may wait while there are more bookings than the machine
has time for, and are sent once there are fewer."""


async def work(settings: Settings, descriptor: str, name: str, folder: str) -> None:
    """A worker on the socket that its parent listens on."""
    await serve_both(settings, inherited(int(descriptor)), Place(name, Path(folder)))


async def parent(settings: Settings) -> None:
    """Serves, or minds those who serve, and minds the loops."""
    listener = first_listener(settings)
    with tempfile.TemporaryDirectory(prefix="seatledger-") as name:
        folder, loops = Path(name), []
        if settings.loops == "process":
            loops = [
                Child(part, ["services.loops", part, name], niceness)
                for part, niceness in LOOPS_NICENESS.items()
            ]
        async with running(loops):
            if settings.workers > 1:
                await Workers(settings, listener, folder).run()
            else:
                await serve_both(settings, listener, Place("service", folder))


def serve(settings: Settings, arguments: Sequence[str]) -> Coroutine[Any, Any, None]:
    """A worker when its parent says so, the parent otherwise."""
    is_worker = arguments[:1] == ["--worker"]
    return work(settings, *arguments[1:4]) if is_worker else parent(settings)


if __name__ == "__main__":
    raise SystemExit(start(lambda settings: serve(settings, sys.argv[1:])))
