"""Several desks and due workers on one log, with one clock that tests move."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pydantic_core

from services.command.app import command_service
from services.command.commit.clock import DatabaseClock
from services.command.commit.reply import Reply, ResponseOptions
from services.command.requests.actions import Action
from services.command.requests.changes import Reschedule
from services.command.requests.new_booking import new_booking
from services.command.schedule.due_worker import DueWorker
from services.command.use_cases import existing_bookings
from services.command.use_cases.bookings import Bookings
from services.command.use_cases.call_context import CallContext
from shared.accounts.keyring import KeyRing
from shared.accounts.postgres import PostgresKeySource
from shared.booking_api.circumstances import Circumstances
from shared.booking_api.rendering.bookings import Rendering
from shared.booking_api.rendering.includes import NOTHING
from shared.eventlog.privacy import MasterKey

MASTER = MasterKey(bytes(32))
PLAIN = ResponseOptions(NOTHING, Rendering())
NEVER: dict[str, Any] = {"auto_complete_one_hour_after_booking_ends": {"enabled": False}}
HOUR = timedelta(hours=1)
HOLD = timedelta(minutes=5)
LONG_HOLD = 3 * HOUR
BEFORE_THE_END = timedelta(days=1) + HOUR - timedelta(minutes=1)


class MovedClock(DatabaseClock):
    """Stands still at the database's time until it is moved on; what the database says later is
    not listened to."""

    def __init__(self, told: datetime) -> None:
        self._now = told

    def set(self, told: datetime) -> None:
        return

    def now(self) -> datetime:
        return self._now

    def move(self, by: timedelta) -> None:
        self._now += by


class Installation:
    """Several processes' worth of desks and due workers on one log, with one clock."""

    def __init__(
        self, dsn: str, pool: asyncpg.Pool[asyncpg.Record], clock: MovedClock, hold: timedelta
    ) -> None:
        self.app_id = uuid4()
        self.hold = hold
        self.clock = clock
        self.pool = pool
        self.dsn = dsn
        self.bookings: list[Bookings] = []
        self.workers: list[DueWorker] = []

    async def add(self, stack: AsyncExitStack) -> None:
        ring = KeyRing(PostgresKeySource(self.pool, MASTER), MASTER)
        service = command_service(self.pool, self.dsn, MASTER, ring, self.hold, self.clock)
        bookings = (await stack.enter_async_context(service)).bookings
        self.bookings.append(bookings)
        self.workers.append(DueWorker(self.pool, self.dsn, bookings))

    def context(self) -> CallContext:
        return CallContext(app_id=self.app_id, time_zone="UTC", metadata={"actor": "test"})

    async def book(self, body: Mapping[str, Any]) -> str:
        new = new_booking(body, Circumstances(self.clock.now()))
        queued = await self.bookings[0].prepare(new, self.context(), PLAIN)
        reply = await self.bookings[0].decide(queued, self.context())
        booking: str = pydantic_core.from_json(reply.body)["data"]["id"]
        return booking

    async def act(self, booking_id: str, action: str) -> Reply:
        queued = await self.bookings[0].prepare_change(
            UUID(booking_id),
            self.context(),
            PLAIN,
            lambda s: existing_bookings.act(s, Action(action), self.context()),
        )
        return await self.bookings[0].decide(queued, self.context())

    async def move(self, group_id: str, later: timedelta) -> None:
        """The group to another time, so much later than now."""
        start = self.clock.now() + later
        queued = await self.bookings[0].prepare_change(
            UUID(group_id),
            self.context(),
            PLAIN,
            lambda s: existing_bookings.reschedule(
                s, Reschedule(start, start + HOUR), self.context()
            ),
        )
        assert (await self.bookings[0].decide(queued, self.context())).status == 200

    async def let_time_act(self) -> None:
        """Every worker at once, until there is nothing left to do."""
        while any(await asyncio.gather(*(worker.do_due() for worker in self.workers))):
            pass

    async def topics(self) -> Counter[str]:
        rows = await self.pool.fetch("SELECT topic FROM stored_events")
        return Counter(row[0].removeprefix("seatledger.") for row in rows)

    async def due(self) -> int:
        count: int = await self.pool.fetchval("SELECT count(*) FROM due_work")
        return count


def state_in(reply: Reply) -> str:
    state: str = pydantic_core.from_json(reply.body)["data"]["state"]
    return state


@asynccontextmanager
async def installed(dsn: str, hold: timedelta) -> AsyncIterator[Installation]:
    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(asyncpg.create_pool(dsn, max_size=10))
        clock = MovedClock(await pool.fetchval("SELECT clock_timestamp()"))
        installation = Installation(dsn, pool, clock, hold)
        for _ in range(3):
            await installation.add(stack)
        yield installation
