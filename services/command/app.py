"""Puts the command service together: store, cache, mailboxes, desk and routes; starts and stops it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

import asyncpg
from aiohttp import web

from services.command.cache import MailboxCache
from services.command.clock import DatabaseClock
from services.command.desk import BookingDesk
from services.command.handler import CommandHandler
from services.command.http import BookingRoutes
from shared.eventlog.postgres import PostgresEventStore
from shared.eventlog.privacy import MasterKey
from shared.http.health import Check

PAYMENT_HOLD = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class CommandService:
    """The command service in a running process: its routes and what its health depends on."""

    routes: Sequence[web.RouteDef]
    checks: Sequence[Check]
    desk: BookingDesk


@asynccontextmanager
async def command_service(
    pool: asyncpg.Pool[asyncpg.Record], dsn: str, master: MasterKey
) -> AsyncIterator[CommandService]:
    """Runs inside the block; leaving it ends the appender, so let no request be under way."""
    store = PostgresEventStore(pool, dsn)
    handler = CommandHandler(store, MailboxCache(), DatabaseClock(await store.now()))
    handler.start()
    desk = BookingDesk(handler, store, master, PAYMENT_HOLD)

    async def accepts_bookings() -> str | None:
        if not handler.is_running:
            return "the appender has stopped"
        await store.now()
        return None

    try:
        yield CommandService(
            BookingRoutes(desk, master).routes(), [Check("bookings", accepts_bookings)], desk
        )
    finally:
        await handler.stop()
        await store.close()
