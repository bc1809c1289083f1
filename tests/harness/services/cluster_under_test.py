"""A cluster under test: two command, two query and two loop processes, watched from the start.

After every fault all that ever happened in it is judged, so what an earlier fault spoilt is found
as well. A cluster in which a promise was broken is not used again.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Any

from tests.harness.callers.http_clients import Customers, client_session
from tests.harness.callers.listening import Listener, listening
from tests.harness.callers.load import RECOVERY_BOUND, Load, callers_at_work
from tests.harness.callers.tailing import TailingReader, tailing
from tests.harness.checker.evidence import Evidence, Published
from tests.harness.checker.figures import Figures, figures_of
from tests.harness.checker.gathering import (
    gather_evidence,
    head_position,
    published_of,
    until_projected,
    until_relayed,
)
from tests.harness.checker.verdict import ensure_kept
from tests.harness.services.installation import Installation, installed

JUDGED: list[Figures] = []
"""The figures of every load that was judged in this process."""


class ClusterUnderTest:
    """The installation, its customers, and those who watch it."""

    def __init__(
        self,
        installation: Installation,
        customers: Customers,
        reader: TailingReader,
        listener: Listener | None,
    ) -> None:
        self.installation = installation
        self.customers = customers
        self.reader = reader
        self.listener = listener
        self.is_sound = True

    @property
    def age(self) -> int:
        """How many requests it has had."""
        return len(self.customers.history.operations)

    @asynccontextmanager
    async def under_load(self, seed: int = 1, **load: Any) -> AsyncIterator[Load]:
        """Callers at work inside the block; after it every promise must hold."""
        self.customers.random.seed(seed)
        self.is_sound = False
        async with callers_at_work(self.customers, **load) as working:
            yield working
        await self.judge(working)

    async def judge(self, load: Load) -> None:
        """AssertionError that lists the promises which were broken."""
        evidence = await self.gather(load)
        JUDGED.append(figures_of(evidence, load))
        ensure_kept(evidence)
        self.is_sound = True

    async def gather(self, load: Load) -> Evidence:
        """Everything drained and brought together, once nobody writes any more."""
        dsn = self.installation.dsn
        load.recovered("projection at the head", await until_projected(dsn, RECOVERY_BOUND))
        if self.listener is not None:
            load.recovered("relay at the head", await until_relayed(dsn, RECOVERY_BOUND))
        await self.reader.until(await head_position(dsn))
        evidence = await gather_evidence(
            dsn,
            self.customers.history.operations,
            followed=self.reader.seen,
            recoveries=load.recoveries,
            with_read_models=True,
        )
        if self.listener is None:
            return evidence
        await self.listener.until_heard([record.event_id for record in evidence.log])
        groups = {record.group_id for record in evidence.log}
        published = [m for m in _published(self.listener) if m.group_id in groups]
        return replace(evidence, published=published)

    async def heal(self) -> None:
        """All processes run, none is frozen."""
        for process in self.installation.processes:
            if process.is_running:
                process.resume()
            else:
                await process.start()


def _published(listener: Listener) -> list[Published]:
    """The broker serves the whole session, so there may be messages of other clusters too."""
    return [published_of(message_id, body) for message_id, body in listener.heard]


@asynccontextmanager
async def cluster_at(
    dsn: str,
    amqp_url: str | None = None,
    processes: tuple[int, int, int] = (2, 2, 2),
    master_key: str | None = None,
) -> AsyncIterator[ClusterUnderTest]:
    """A cluster on this database, running inside the block: so many command, query and loop
    processes."""
    async with AsyncExitStack() as stack:
        installation = await stack.enter_async_context(installed(dsn, amqp_url, master_key))
        reader = await stack.enter_async_context(tailing(dsn))
        listener = None
        if amqp_url is not None:
            listener = await stack.enter_async_context(listening(amqp_url))
        session = await stack.enter_async_context(client_session())
        await installation.start(*processes)
        yield ClusterUnderTest(installation, Customers(session, installation), reader, listener)
