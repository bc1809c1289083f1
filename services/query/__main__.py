"""`python -m services.query`: the query service alone, for a proxy that sends it GET and HEAD."""

from __future__ import annotations

from contextlib import AsyncExitStack

from services.query.app import query_service
from services.query.loops import query_loops
from shared.accounts.door import ring_at
from shared.eventlog.master_keys import load_master
from shared.http.application import Offer, first_listener, serve_offer
from shared.http.exposition import Place
from shared.runtime.metrics import watch_pool
from shared.runtime.postgres import pool_of
from shared.runtime.settings import Settings
from shared.runtime.starting import start

KEYS_POOL_SIZE = 2


async def serve_reads(settings: Settings) -> None:
    """Serves until SIGTERM or SIGINT; with the loops, unless they run elsewhere."""
    listener = first_listener(settings)
    master, dsn = await load_master(settings), settings.database_dsn
    async with AsyncExitStack() as stack:
        keys = await stack.enter_async_context(pool_of(dsn, KEYS_POOL_SIZE))
        reading = query_service(dsn, master, settings.pool_size, settings.neutral_refusals)
        query = await stack.enter_async_context(reading)
        watch_pool("keys", keys)
        if settings.loops != "off":
            await stack.enter_async_context(query_loops(settings, master))
        ring = await ring_at(listener, keys, master, settings)
        offer = Offer(query.routes, query.checks, query.readings)
        await serve_offer(settings, ring, offer, listener, Place("query"))


if __name__ == "__main__":
    raise SystemExit(start(serve_reads))
