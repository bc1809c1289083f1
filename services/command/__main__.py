"""`python -m services.command`: the write side alone, behind a proxy that routes by method."""

from __future__ import annotations

from contextlib import AsyncExitStack

from services.command.app import command_service
from services.command.schedule.due_worker import DueWorker
from shared.accounts.door import ring_at
from shared.eventlog.master_keys import load_master
from shared.http.application import Offer, first_listener, serve_offer
from shared.http.exposition import Place
from shared.runtime.loops import running
from shared.runtime.metrics import watch_pool
from shared.runtime.postgres import pool_of
from shared.runtime.settings import Settings
from shared.runtime.starting import start


async def serve_writes(settings: Settings) -> None:
    """Serves until SIGTERM or SIGINT, then drains."""
    listener = first_listener(settings)
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
        if settings.loops != "off":
            await stack.enter_async_context(running(DueWorker(pool, dsn, command.bookings)))
        offer = Offer(command.routes, command.checks)
        await serve_offer(settings, ring, offer, listener, Place("command"))


if __name__ == "__main__":
    raise SystemExit(start(serve_writes))
