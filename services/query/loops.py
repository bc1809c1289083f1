"""The query side's loops: the projector and what publishes, running until they are told to stop.

Any number of processes may run them: each loop elects one (decision 0012).
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from services.query.projection.projector import Projector
from services.query.relay.loops import publishing_loops
from services.query.webhooks.loops import webhook_loops
from shared.eventlog.privacy import MasterKey
from shared.eventlog.wakeup import Wakeup
from shared.runtime.loops import running
from shared.runtime.postgres import pool_of
from shared.runtime.settings import Settings

POOL_SIZE = 6


@asynccontextmanager
async def query_loops(settings: Settings, master: MasterKey) -> AsyncIterator[None]:
    """All of them run inside the block; a loop that fails for good ends the process."""
    async with projecting(settings, master), publishing(settings, master):
        yield


@asynccontextmanager
async def projecting(settings: Settings, master: MasterKey) -> AsyncIterator[None]:
    """The projector: what reads wait for."""
    async with running(Projector(settings.database_dsn, master, on_poison=settings.on_poison)):
        yield


@asynccontextmanager
async def publishing(
    settings: Settings, master: MasterKey, yields: bool = False
) -> AsyncIterator[None]:
    """Relay and webhooks; `yields`: on a machine shared with bookings, which go first."""
    dsn, urls = settings.database_dsn, settings.amqp_dsn
    async with pool_of(dsn, POOL_SIZE) as pool:
        wakeup = Wakeup(dsn)
        loops = [] if urls is None else publishing_loops(pool, wakeup, urls, dsn, yields)
        async with running(wakeup), running(*loops), webhook_loops(settings, master, wakeup):
            yield
