"""`python -m services.command`: the write side alone, behind a proxy that routes by method."""

from __future__ import annotations

import socket
import sys
from contextlib import AsyncExitStack

import asyncpg

from services.command.app import command_service
from services.command.due import due_loop
from shared.accounts.keyring import KeyRing
from shared.accounts.postgres import PostgresKeySource
from shared.event_loop import run
from shared.eventlog.master_keys import load_master
from shared.http.application import Offer, first_listener, serve_offer
from shared.http.exposition import Place
from shared.metrics import watch_pool
from shared.settings import SERVING, ConfigurationError, Settings, read_settings
from shared.telemetry import configure_logging

POOL_SIZE = 8


async def main(settings: Settings, listener: socket.socket) -> None:
    """Serves until SIGTERM or SIGINT, then drains."""
    master = await load_master(settings)
    dsn = settings.database_dsn
    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(
            asyncpg.create_pool(dsn, min_size=1, max_size=POOL_SIZE)
        )
        watch_pool("command", pool)
        ring = KeyRing(PostgresKeySource(pool, master), master)
        room = settings.cache_megabytes
        hold = settings.payment_hold
        service = command_service(pool, dsn, master, ring, hold, cache_megabytes=room)
        command = await stack.enter_async_context(service)
        if settings.loops != "off":
            await stack.enter_async_context(due_loop(pool, dsn, command.desk))
        offer = Offer(command.routes, command.checks)
        await serve_offer(settings, ring, offer, listener, Place("command"))


def start() -> int:
    """Exit status 0 after an orderly stop, 2 with one line for an operator's mistake."""
    try:
        settings = read_settings(SERVING)
        configure_logging()
        run(main(settings, first_listener(settings)))
    except ConfigurationError as error:
        return _fail(str(error))
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        return _fail(f"cannot start: {type(error).__name__}: {error}")
    return 0


def _fail(line: str) -> int:
    sys.stderr.write(line + "\n")
    return 2


if __name__ == "__main__":
    raise SystemExit(start())
