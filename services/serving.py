"""Composition root of a web process: both services behind one front door and listening socket."""

from __future__ import annotations

import socket
from contextlib import AsyncExitStack

from services.command.app import command_service
from services.command.schedule.due_worker import DueWorker
from services.query.app import query_service
from services.query.loops import query_loops
from shared.accounts.door import ring_at
from shared.eventlog.master_keys import load_master
from shared.http.application import Offer, serve_offer
from shared.http.exposition import Place
from shared.runtime.loops import running
from shared.runtime.metrics import watch_pool
from shared.runtime.postgres import pool_of
from shared.runtime.settings import Settings


async def serve_both(settings: Settings, listener: socket.socket, place: Place) -> None:
    """Serves until SIGTERM or SIGINT, then drains and closes everything in reverse order."""
    master = await load_master(settings)
    dsn = settings.database_dsn
    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(pool_of(dsn, settings.pool_size))
        watch_pool("command", pool)
        ring = await ring_at(listener, pool, master, settings)
        room = settings.cache_megabytes
        hold = settings.payment_hold
        service = command_service(
            *(pool, dsn, master, ring, hold),
            cache_megabytes=room,
            confirm_links=settings.confirm_links,
            neutral_refusals=settings.neutral_refusals,
        )
        command = await stack.enter_async_context(service)
        reading = query_service(dsn, master, settings.pool_size, settings.neutral_refusals)
        query = await stack.enter_async_context(reading)
        if settings.loops == "inline":
            await stack.enter_async_context(query_loops(settings, master))
            await stack.enter_async_context(running(DueWorker(pool, dsn, command.bookings)))
        offer = Offer(
            [*query.routes, *command.routes],
            [*command.checks, *query.checks],
            query.readings,
        )
        await serve_offer(settings, ring, offer, listener, place)
