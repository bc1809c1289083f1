"""The webhook loops of a process, put together: the enqueuer and the sender."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from services.query.reads.fresh_reads import FreshReads
from services.query.reads.included import IncludedReader
from services.query.webhooks.body import WebhookBodies
from services.query.webhooks.enqueuer import WebhookEnqueuer
from services.query.webhooks.http_client import posting
from services.query.webhooks.sender import Patience, WebhookSender
from shared.accounts.keyring import KeyRing
from shared.accounts.postgres import PostgresKeySource
from shared.accounts.projects import PostgresProjects
from shared.eventlog.privacy import MasterKey
from shared.eventlog.wakeup import Wakeup
from shared.runtime.loops import running
from shared.runtime.postgres import pool_of
from shared.runtime.settings import Settings

POOL_SIZE = 3
STATEMENT_SECONDS = 10.0


@asynccontextmanager
async def webhook_loops(
    settings: Settings, master: MasterKey, wakeup: Wakeup, patience: Patience | None = None
) -> AsyncIterator[None]:
    """Inside the block every webhook is told what it listens for."""
    dsn = settings.database_dsn
    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(
            pool_of(
                dsn,
                POOL_SIZE,
                least=0,
                command_timeout=STATEMENT_SECONDS,
                server_settings={"synchronous_commit": "off"},  # at least once, from a checkpoint
            )
        )
        reads = FreshReads(dsn, master)
        stack.push_async_callback(reads.close)
        ring = KeyRing(PostgresKeySource(pool, master), master)
        projects = PostgresProjects(pool, master)
        bodies = WebhookBodies(reads, IncludedReader(pool, projects, ring), settings.links_url)
        poster = await stack.enter_async_context(posting(settings.webhooks_private))
        enqueuer = WebhookEnqueuer(pool, wakeup, dsn)
        sender = WebhookSender(pool, wakeup, master, bodies, poster, patience or Patience())
        async with running(enqueuer, sender):
            yield
