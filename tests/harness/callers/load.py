"""Load that goes on while things break: customers who book, cancel and look, until told to stop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import UUID

from tests.harness.callers.http_clients import Customers
from tests.harness.checker.evidence import Recovery
from tests.harness.waiting import until

CALLERS = 8
GROUPS = 4
SEATS = 30
SHARE_CANCELLED, SHARE_READ = 0.2, 0.15
RECOVERY_BOUND = 60.0
"""What is not well again by then is stuck: how long it took is shown, and no promise."""
PATIENCE = 150.0


@dataclass
class Load:
    """Callers at work on some groups; `cycles` counts what was done to the system meanwhile."""

    customers: Customers
    groups: list[UUID]
    over: asyncio.Event = field(default_factory=asyncio.Event)
    recoveries: list[Recovery] = field(default_factory=list)
    cycles: int = 0

    @property
    def answered(self) -> int:
        return len(self.customers.history.operations)

    @property
    def booked(self) -> int:
        operations = self.customers.history.operations
        return sum(one.kind == "book" and one.outcome == "ok" for one in operations)

    async def answers(self, count: int, seconds: float = PATIENCE) -> None:
        """Waits until `count` more requests have their answer."""
        wanted = self.answered + count

        async def enough() -> bool:
            return self.answered >= wanted

        await until(enough, seconds, f"{count} more answers")

    async def bookings(self, count: int, seconds: float = PATIENCE) -> float:
        """Waits until `count` more seat bookings are acknowledged; how long that took."""
        wanted = self.booked + count

        async def enough() -> bool:
            return self.booked >= wanted

        return await until(enough, seconds, f"{count} more bookings")

    def recovered(self, what: str, seconds: float, bound: float = RECOVERY_BOUND) -> None:
        self.recoveries.append(Recovery(what, seconds, bound))

    async def keep_going(self) -> None:
        """One caller: now and then cancels a booking of its own, or looks at the seats."""
        mine: list[tuple[UUID, UUID]] = []
        while not self.over.is_set():
            await self._one_request(mine)

    async def _one_request(self, mine: list[tuple[UUID, UUID]]) -> None:
        random = self.customers.random
        chance, group_id = random.random(), random.choice(self.groups)
        if chance < SHARE_CANCELLED and mine:
            await self.customers.cancel(*mine.pop())
        elif chance < SHARE_CANCELLED + SHARE_READ:
            await self.customers.read(group_id)
        else:
            booked = await self.customers.book(group_id, random.choice((1, 1, 2)))
            if booked.outcome == "ok" and booked.booking_id is not None:
                mine.append((group_id, booked.booking_id))


@asynccontextmanager
async def callers_at_work(
    customers: Customers, callers: int = CALLERS, groups: int = GROUPS, seats: int = SEATS
) -> AsyncIterator[Load]:
    """New groups and their callers; after the block everyone has the answer to the last request."""
    made = [await customers.create_group(seats) for _ in range(groups)]
    load = Load(customers, made)
    async with asyncio.TaskGroup() as tasks:
        for _ in range(callers):
            tasks.create_task(load.keep_going())
        try:
            yield load
        finally:
            load.over.set()
