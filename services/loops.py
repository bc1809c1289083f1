"""`python -m services.loops`: projector, relay and due work in a process of their own."""

from __future__ import annotations

import sys
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path

import asyncpg

from services.command.app import command_service
from services.command.due import due_loop
from services.query.loops import query_loops
from shared.accounts.keyring import KeyRing
from shared.accounts.postgres import PostgresKeySource
from shared.event_loop import run
from shared.eventlog.master_keys import load_master
from shared.http.exposition import Place, laid_open
from shared.http.server import stop_requested
from shared.retention import pruning
from shared.settings import SERVING, ConfigurationError, Settings, read_settings
from shared.telemetry import configure_logging

POOL_SIZE = 4


async def run_loops(settings: Settings, place: Place) -> None:
    """Runs every loop until SIGTERM or SIGINT."""
    master, dsn = await load_master(settings), settings.database_dsn
    async with stop_requested() as stopped, AsyncExitStack() as stack:
        pool = await stack.enter_async_context(
            asyncpg.create_pool(dsn, min_size=1, max_size=POOL_SIZE)
        )
        ring = KeyRing(PostgresKeySource(pool, master), master)
        service = command_service(pool, dsn, master, ring, settings.payment_hold)
        command = await stack.enter_async_context(service)
        await stack.enter_async_context(query_loops(settings, master))
        await stack.enter_async_context(due_loop(pool, dsn, command.desk))
        await stack.enter_async_context(pruning(pool, timedelta(days=settings.keep_answers_days)))
        await stack.enter_async_context(laid_open(place))
        await stopped.wait()


if __name__ == "__main__":
    try:
        started = read_settings(SERVING)
        configure_logging()
        folder = Path(sys.argv[1]) if len(sys.argv) > 1 else None
        run(run_loops(started, Place("loops", folder)))
    except ConfigurationError as error:
        sys.stderr.write(f"{error}\n")
        raise SystemExit(2) from None
