"""Load that goes on while things break: customers who book, cancel and look, until told to stop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from uuid import UUID

from tests.harness.checker.evidence import Evidence, Published, Recovery
from tests.harness.checker.verdict import ensure_kept
from tests.harness.gathering import (
    gather_evidence,
    head_position,
    published_of,
    until_projected,
    until_relayed,
)
from tests.harness.http_clients import Customers, client_session
from tests.harness.installation import Installation
from tests.harness.relays import Subscriber, subscriber_at
from tests.harness.tailing import TailingReader, tailing
from tests.harness.waiting import until

CALLERS = 8
GROUPS = 4
SEATS = 30
SHARE_CANCELLED, SHARE_READ = 0.2, 0.15
RECOVERY_BOUND = 30.0


@dataclass
class Load:
    """A run under load: its customers, its groups, and a reader at the log's end."""

    installation: Installation
    customers: Customers
    groups: list[UUID]
    reader: TailingReader
    over: asyncio.Event = field(default_factory=asyncio.Event)
    recoveries: list[Recovery] = field(default_factory=list)
    evidence: Evidence | None = None

    @property
    def answered(self) -> int:
        return len(self.customers.history.operations)

    async def answers(self, count: int, seconds: float = 60.0) -> None:
        """Waits until `count` more requests have their answer."""
        wanted = self.answered + count

        async def enough() -> bool:
            return self.answered >= wanted

        await until(enough, seconds, f"{count} more answers")

    async def keep_going(self) -> None:
        """One caller: now and then cancels a booking of its own, or looks at the seats."""
        mine: list[tuple[UUID, UUID]] = []
        while not self.over.is_set():
            await self._one_request(mine)

    async def _one_request(self, mine: list[tuple[UUID, UUID]]) -> None:
        chance, group_id = self.customers.random.random(), self._any_group()
        if chance < SHARE_CANCELLED and mine:
            await self.customers.cancel(*mine.pop())
        elif chance < SHARE_CANCELLED + SHARE_READ:
            await self.customers.read(group_id)
        else:
            booked = await self.customers.book(group_id, self.customers.random.choice((1, 1, 2)))
            if booked.outcome == "ok" and booked.booking_id is not None:
                mine.append((group_id, booked.booking_id))

    def _any_group(self) -> UUID:
        return self.customers.random.choice(self.groups)

    async def gather(self, subscriber: Subscriber | None) -> Evidence:
        """Everything drained and brought together, once nobody writes any more."""
        dsn = self.installation.dsn
        self._recovered("projection", await until_projected(dsn, RECOVERY_BOUND))
        if subscriber is not None:
            self._recovered("relay", await until_relayed(dsn, RECOVERY_BOUND))
        await self.reader.until(await head_position(dsn))
        evidence = await gather_evidence(
            dsn,
            self.customers.history.operations,
            followed=self.reader.seen,
            recoveries=self.recoveries,
            with_read_models=True,
        )
        if subscriber is None:
            return evidence
        await subscriber.until_seen([record.event_id for record in evidence.log])
        return replace(evidence, published=self._own_messages(subscriber))

    def _recovered(self, what: str, seconds: float) -> None:
        self.recoveries.append(Recovery(what, seconds, RECOVERY_BOUND))

    def _own_messages(self, subscriber: Subscriber) -> list[Published]:
        """The broker serves the whole session: other tests' groups are not ours."""
        messages = [published_of(str(m.message_id), m.body) for m in subscriber.messages]
        return [message for message in messages if message.group_id in self.groups]


@asynccontextmanager
async def under_load(
    installation: Installation,
    *,
    seed: int = 1,
    callers: int = CALLERS,
    seats: int = SEATS,
    amqp_url: str | None = None,
) -> AsyncIterator[Load]:
    """Callers at work inside the block; after it everyone has an answer, and every promise of
    the checker must hold."""
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(client_session())
        reader = await stack.enter_async_context(tailing(installation.dsn))
        subscriber = None
        if amqp_url is not None:
            subscriber = await stack.enter_async_context(subscriber_at(amqp_url))
        customers = Customers(session, installation, seed)
        groups = [await customers.create_group(seats) for _ in range(GROUPS)]
        load = Load(installation, customers, groups, reader)
        async with asyncio.TaskGroup() as tasks:
            for _ in range(callers):
                tasks.create_task(load.keep_going())
            try:
                yield load
            finally:
                load.over.set()
        load.evidence = await load.gather(subscriber)
        ensure_kept(load.evidence)
