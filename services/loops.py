"""Background process, `python -m services.loops`: projector, due work, relay and webhooks.

`python -m services.loops projecting FOLDER` runs what reads and bookings depend on,
`… publishing FOLDER` what may wait while bookings are many; in two processes the second can yield.
"""

from __future__ import annotations

import sys
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

from services.command.app import command_service
from services.command.retention import pruning
from services.command.schedule.due_worker import DueWorker
from services.query.loops import projecting, publishing
from shared.accounts.keyring import KeyRing
from shared.accounts.postgres import PostgresKeySource
from shared.eventlog.master_keys import load_master
from shared.eventlog.privacy import MasterKey
from shared.http.exposition import Place, laid_open
from shared.http.server import stop_requested
from shared.runtime.event_loop import calm_collector
from shared.runtime.loops import running
from shared.runtime.postgres import pool_of
from shared.runtime.settings import ConfigurationError, Settings
from shared.runtime.starting import start

POOL_SIZE = 4
PROCESSES = {"all": "loops", "projecting": "loops", "publishing": "publishing"}
"""What a process with these loops is called."""


async def run_loops(settings: Settings, place: Place, part: str = "all") -> None:
    """Runs the loops of this part until SIGTERM or SIGINT."""
    master = await load_master(settings)
    async with stop_requested() as stopped, AsyncExitStack() as stack:
        if part != "publishing":
            await stack.enter_async_context(projecting(settings, master))
            await _enter_due_work(stack, settings, master)
        if part != "projecting":
            yields = part == "publishing"
            await stack.enter_async_context(publishing(settings, master, yields))
        await stack.enter_async_context(laid_open(place))
        calm_collector()
        await stopped.wait()


async def _enter_due_work(stack: AsyncExitStack, settings: Settings, master: MasterKey) -> None:
    dsn = settings.database_dsn
    pool = await stack.enter_async_context(pool_of(dsn, POOL_SIZE))
    ring = KeyRing(PostgresKeySource(pool, master), master)
    service = command_service(pool, dsn, master, ring, settings.payment_hold)
    command = await stack.enter_async_context(service)
    await stack.enter_async_context(running(DueWorker(pool, dsn, command.bookings)))
    await stack.enter_async_context(pruning(pool, timedelta(days=settings.keep_answers_days)))


def serve(settings: Settings, part: str = "all", folder: str = "") -> Coroutine[Any, Any, None]:
    """What the process was asked to do; ConfigurationError when there is no such part."""
    if part not in PROCESSES:
        raise ConfigurationError(f"{part} is no part of the loops: {', '.join(PROCESSES)}")
    return run_loops(settings, Place(PROCESSES[part], Path(folder) if folder else None), part)


if __name__ == "__main__":
    raise SystemExit(start(lambda settings: serve(settings, *sys.argv[1:3])))
