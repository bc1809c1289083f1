"""Time as an actor (decision 0011): once, whoever acts, however often they were stopped."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pydantic_core
import pytest_asyncio

from services.command import acting
from services.command.app import command_service
from services.command.desk import BookingDesk
from services.command.due import DueWorker
from services.command.intent import Intent
from services.command.reply import Reply, Shown
from shared.accounts.keyring import KeyRing
from shared.accounts.postgres import PostgresKeySource
from shared.booking_api.actions import Action
from shared.booking_api.bookings import Rendering
from shared.booking_api.changes import Reschedule
from shared.booking_api.circumstances import Circumstances
from shared.booking_api.includes import NOTHING
from shared.booking_api.requests import new_booking
from shared.eventlog.privacy import MasterKey
from tests.harness.moved_clock import MovedClock
from tests.harness.requests import group, payment_seats, seats
from tests.harness.waiting import until

MASTER = MasterKey(bytes(32))
PLAIN = Shown(NOTHING, Rendering())
NEVER: dict[str, Any] = {"auto_complete_one_hour_after_booking_ends": {"enabled": False}}
HOUR = timedelta(hours=1)
HOLD = timedelta(minutes=5)


class Installation:
    """Several processes' worth of desks and due workers on one log, with one clock."""

    def __init__(self, dsn: str, pool: asyncpg.Pool[asyncpg.Record], clock: MovedClock) -> None:
        self.app_id = uuid4()
        self.clock = clock
        self.pool = pool
        self.dsn = dsn
        self.desks: list[BookingDesk] = []
        self.workers: list[DueWorker] = []

    async def add(self, stack: AsyncExitStack) -> None:
        ring = KeyRing(PostgresKeySource(self.pool, MASTER), MASTER)
        service = command_service(self.pool, self.dsn, MASTER, ring, HOLD, self.clock)
        desk = (await stack.enter_async_context(service)).desk
        self.desks.append(desk)
        self.workers.append(DueWorker(self.pool, self.dsn, desk))

    def intent(self) -> Intent:
        return Intent(app_id=self.app_id, time_zone="UTC", metadata={"actor": "test"})

    async def book(self, body: Mapping[str, Any]) -> str:
        new = new_booking(body, Circumstances(self.clock.now()))
        reply = await self.desks[0].decide(await self.desks[0].order(new, self.intent(), PLAIN))
        booking: str = pydantic_core.from_json(reply.body)["data"]["id"]
        return booking

    async def act(self, booking_id: str, action: str) -> Reply:
        order = await self.desks[0].order_change(
            UUID(booking_id),
            self.intent(),
            PLAIN,
            lambda s: (
                acting.act(s, Action(action), self.intent()),
                acting.show(s, PLAIN),
            ),
        )
        return await self.desks[0].decide(order)

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


@pytest_asyncio.fixture
async def house(database_url: str) -> AsyncIterator[Installation]:
    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(asyncpg.create_pool(database_url, max_size=10))
        clock = MovedClock(await pool.fetchval("SELECT clock_timestamp()"))
        house = Installation(database_url, pool, clock)
        for _ in range(3):
            await house.add(stack)
        yield house


async def test_a_group_completes_one_hour_after_its_end_and_once(house: Installation) -> None:
    owner = await house.book(group(days=1))
    await house.book(seats(owner))
    house.clock.move(timedelta(days=1) + 2 * HOUR - timedelta(minutes=1))
    await house.let_time_act()
    assert (await house.topics())["group_completed"] == 0
    house.clock.move(timedelta(minutes=2))
    await house.let_time_act()
    await house.let_time_act()
    assert await house.topics() == {"group_created": 1, "seat_booked": 1, "group_completed": 1}
    assert await house.due() == 0


async def test_who_says_so_completes_by_hand(house: Installation) -> None:
    owner = await house.book(group(days=1, **NEVER))
    await house.book(seats(owner))
    await house.book(seats(owner, **NEVER))
    house.clock.move(timedelta(days=3))
    await house.let_time_act()
    assert await house.topics() == {"group_created": 1, "seat_booked": 2, "seat_completed": 1}


async def test_a_hold_that_is_not_paid_expires_and_frees_its_seats(house: Installation) -> None:
    owner = await house.book(group(max_seats=2, days=1))
    paid, _ = [await house.book(payment_seats(owner)) for _ in range(2)]
    assert (await house.act(paid, "pay")).status == 200
    house.clock.move(HOLD)
    await house.let_time_act()
    assert (await house.topics())["seat_expired"] == 1
    await house.book(seats(owner))
    assert await house.due() == 1


async def test_decide_and_the_worker_never_expire_a_hold_twice(house: Installation) -> None:
    owner = await house.book(group(max_seats=1, days=1))
    await house.book(payment_seats(owner))
    house.clock.move(HOLD)
    await asyncio.gather(house.book(seats(owner)), house.let_time_act())
    await house.let_time_act()
    assert await house.topics() == {"group_created": 1, "seat_booked": 2, "seat_expired": 1}


async def test_a_hundred_groups_are_completed_by_three_workers_once_each(
    house: Installation,
) -> None:
    await asyncio.gather(*(house.book(group(days=1)) for _ in range(100)))
    house.clock.move(timedelta(days=2))
    await house.let_time_act()
    assert (await house.topics())["group_completed"] == 100


async def test_what_was_done_before_a_crash_is_not_done_again(house: Installation) -> None:
    await house.book(group(days=1))
    house.clock.move(timedelta(days=2))
    await house.let_time_act()
    # As if it had crashed after the command and before its own note of it, and lost its tables.
    await house.pool.execute("TRUNCATE due_groups, due_work; UPDATE due_checkpoint SET position=0")
    await house.let_time_act()
    assert (await house.topics())["group_completed"] == 1
    await house.pool.execute(
        "INSERT INTO due_work SELECT group_id, 'complete', group_id, app_id, end_at FROM due_groups"
    )
    await house.let_time_act()
    assert ((await house.topics())["group_completed"], await house.due()) == (1, 0)


async def test_a_group_that_was_moved_completes_after_its_new_end(house: Installation) -> None:
    owner = UUID(await house.book(group(days=1)))
    await house.workers[0].do_due()
    start = house.clock.now() + timedelta(days=9)
    order = await house.desks[0].order_change(
        owner,
        house.intent(),
        PLAIN,
        lambda s: (
            acting.reschedule(s, Reschedule(start, start + HOUR), house.intent()),
            acting.show(s, PLAIN),
        ),
    )
    assert (await house.desks[0].decide(order)).status == 200
    house.clock.move(timedelta(days=9))
    await house.let_time_act()
    assert (await house.topics())["group_completed"] == 0
    house.clock.move(2 * HOUR)
    await house.let_time_act()
    assert (await house.topics())["group_completed"] == 1


async def test_cancelled_bookings_are_no_work_for_anyone(house: Installation) -> None:
    owner = await house.book(group(days=1))
    held = await house.book(payment_seats(owner))
    await house.workers[0].do_due()
    assert await house.due() == 2
    await house.act(held, "cancel_by_owner")
    await house.act(owner, "cancel")
    await house.workers[0].do_due()
    assert await house.due() == 0


async def test_an_elected_worker_acts_by_itself(house: Installation) -> None:
    await house.book(group(days=1))
    house.clock.move(timedelta(days=2))
    running = [asyncio.create_task(worker.run()) for worker in house.workers]

    async def completed() -> int:
        return (await house.topics())["group_completed"]

    await until(completed, 20)
    for worker in house.workers:
        worker.stop()
    await asyncio.gather(*running)
    assert (await house.topics())["group_completed"] == 1
