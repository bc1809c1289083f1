"""`python -m services`: both services on one port, and the loops in children of lower priority.

With SEATLEDGER_WORKERS above 1 the parent only listens and minds its children, which inherit the
socket, so that a restart drops no connection.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import asyncpg

from services.children import Child
from services.serving import serve_both
from services.workers import Workers, running
from shared.event_loop import run
from shared.http.application import first_listener
from shared.http.exposition import Place
from shared.http.server import inherited
from shared.settings import SERVING, ConfigurationError, Settings, read_settings
from shared.telemetry import configure_logging

LOOPS_NICENESS = {"projecting": 10, "publishing": 19}
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


def start(arguments: Sequence[str]) -> int:
    """Exit status 0 after an orderly stop, 2 with one line for an operator's mistake."""
    try:
        settings = read_settings(SERVING)
        configure_logging()
        if arguments[:1] == ["--worker"]:
            run(work(settings, *arguments[1:4]))
        else:
            run(parent(settings))
    except ConfigurationError as error:
        return _fail(str(error))
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        return _fail(f"cannot start: {type(error).__name__}: {error}")
    return 0


def _fail(line: str) -> int:
    sys.stderr.write(line + "\n")
    return 2


if __name__ == "__main__":
    raise SystemExit(start(sys.argv[1:]))
