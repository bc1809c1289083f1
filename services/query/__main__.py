"""`python -m services.query`: the query service alone, for a proxy that sends it GET and HEAD."""

from __future__ import annotations

import socket
import sys
from contextlib import AsyncExitStack

import asyncpg

from services.query.app import query_service
from services.query.loops import query_loops
from shared.accounts.keyring import KeyRing
from shared.accounts.postgres import PostgresKeySource
from shared.event_loop import run
from shared.eventlog.master_keys import load_master
from shared.http.application import Offer, first_listener, serve_offer
from shared.http.exposition import Place
from shared.metrics import watch_pool
from shared.settings import SERVING, ConfigurationError, Settings, read_settings
from shared.telemetry import configure_logging

KEYS_POOL_SIZE = 2


async def serve_reads(settings: Settings, listener: socket.socket) -> None:
    """Serves until SIGTERM or SIGINT; with the loops, unless they run elsewhere."""
    master, dsn = await load_master(settings), settings.database_dsn
    async with AsyncExitStack() as stack:
        keys = await stack.enter_async_context(
            asyncpg.create_pool(dsn, min_size=1, max_size=KEYS_POOL_SIZE)
        )
        query = await stack.enter_async_context(query_service(dsn, master))
        watch_pool("keys", keys)
        if settings.loops != "off":
            await stack.enter_async_context(query_loops(settings, master))
        ring = KeyRing(PostgresKeySource(keys, master), master)
        offer = Offer(query.routes, query.checks, query.readings)
        await serve_offer(settings, ring, offer, listener, Place("query"))


def main() -> int:
    """Exit status 0 after an orderly stop, 2 with one line for an operator's mistake."""
    try:
        settings = read_settings(SERVING)
        configure_logging()
        run(serve_reads(settings, first_listener(settings)))
    except ConfigurationError as error:
        return _fail(str(error))
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        return _fail(f"cannot start: {type(error).__name__}: {error}")
    return 0


def _fail(line: str) -> int:
    sys.stderr.write(line + "\n")
    return 2


if __name__ == "__main__":
    raise SystemExit(main())
