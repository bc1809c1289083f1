"""Time as an actor (decision 0011): once, whoever acts, however often they were stopped."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
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
from shared.domain.events import SeatPaid
from shared.eventlog.postgres import PostgresEventStore
from shared.eventlog.privacy import MasterKey
from shared.eventlog.record import NewEvent
from shared.eventlog.store import Appended, Entry
from shared.migrate import migrations
from tests.harness.moved_clock import MovedClock
from tests.harness.requests import group, payment_seats, seats
from tests.harness.waiting import until

MASTER = MasterKey(bytes(32))
PLAIN = Shown(NOTHING, Rendering())
NEVER: dict[str, Any] = {"auto_complete_one_hour_after_booking_ends": {"enabled": False}}
HOUR = timedelta(hours=1)
HOLD = timedelta(minutes=5)
LONG_HOLD = 3 * HOUR
BEFORE_THE_END = timedelta(days=1) + HOUR - timedelta(minutes=1)


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
        self.desks: list[BookingDesk] = []
        self.workers: list[DueWorker] = []

    async def add(self, stack: AsyncExitStack) -> None:
        ring = KeyRing(PostgresKeySource(self.pool, MASTER), MASTER)
        service = command_service(self.pool, self.dsn, MASTER, ring, self.hold, self.clock)
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

    async def move(self, group_id: str, later: timedelta) -> None:
        """The group to another time, so much later than now."""
        start = self.clock.now() + later
        order = await self.desks[0].order_change(
            UUID(group_id),
            self.intent(),
            PLAIN,
            lambda s: (
                acting.reschedule(s, Reschedule(start, start + HOUR), self.intent()),
                acting.show(s, PLAIN),
            ),
        )
        assert (await self.desks[0].decide(order)).status == 200

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
        house = Installation(dsn, pool, clock, hold)
        for _ in range(3):
            await house.add(stack)
        yield house


@pytest_asyncio.fixture
async def house(database_url: str) -> AsyncIterator[Installation]:
    async with installed(database_url, HOLD) as house:
        yield house


@pytest_asyncio.fixture
async def patient(database_url: str) -> AsyncIterator[Installation]:
    """A house whose holds last longer than a group and its hour after the end."""
    async with installed(database_url, LONG_HOLD) as house:
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
    owner = await house.book(group(days=1))
    await house.workers[0].do_due()
    await house.move(owner, timedelta(days=9))
    house.clock.move(timedelta(days=9))
    await house.let_time_act()
    assert (await house.topics())["group_completed"] == 0
    house.clock.move(2 * HOUR)
    await house.let_time_act()
    assert (await house.topics())["group_completed"] == 1


async def test_what_is_still_to_be_paid_outlives_its_group_and_ends_once(
    patient: Installation,
) -> None:
    """One of two holds is paid after its group has completed, the other one runs out."""
    owner = await patient.book(group(days=1))
    patient.clock.move(BEFORE_THE_END)
    paid, _, _ = [await patient.book(one(owner)) for one in (payment_seats, payment_seats, seats)]
    patient.clock.move(HOUR + timedelta(minutes=1))
    await patient.let_time_act()
    completed = {"group_created": 1, "seat_booked": 3, "group_completed": 1}
    assert await patient.topics() == completed
    assert state_in(await patient.act(paid, "pay")) == "completed"
    patient.clock.move(LONG_HOLD)
    await patient.let_time_act()
    ended = {"seat_paid": 1, "seat_completed": 1, "seat_expired": 1}
    assert await patient.topics() == completed | ended
    assert await patient.due() == 0


async def test_due_work_that_was_refused_is_kept_until_it_can_be_decided(
    patient: Installation,
) -> None:
    """The seats' own moments come during their holds; then the group is moved to another day."""
    owner = await patient.book(group(days=1, **NEVER))
    patient.clock.move(BEFORE_THE_END)
    one, other = [await patient.book(payment_seats(owner)) for _ in range(2)]
    patient.clock.move(HOUR + timedelta(minutes=1))
    await patient.let_time_act()
    assert await patient.due() == 4
    assert state_in(await patient.act(one, "pay")) == "completed"
    await patient.move(owner, timedelta(days=9))
    assert state_in(await patient.act(other, "pay")) == "paid"
    patient.clock.move(timedelta(days=9))
    await patient.let_time_act()
    assert (await patient.topics())["seat_completed"] == 1
    patient.clock.move(2 * HOUR)
    await patient.let_time_act()
    assert ((await patient.topics())["seat_completed"], await patient.due()) == (2, 0)


async def test_what_time_asked_for_too_early_is_asked_for_again(house: Installation) -> None:
    """As when another process moves the group after the worker looked and before it acts."""
    owner = await house.book(group(days=1))
    await house.move(owner, timedelta(days=9))
    await house.let_time_act()
    await house.pool.execute("UPDATE due_work SET due_at = $1", house.clock.now())
    await house.let_time_act()
    assert await house.due() == 1
    house.clock.move(timedelta(days=9) + 2 * HOUR)
    await house.let_time_act()
    assert (await house.topics())["group_completed"] == 1


async def paid_by_an_earlier_version(house: Installation) -> None:
    """It wrote the payment alone, into a group that had completed."""
    owner = await house.book(group(days=1))
    held = await house.book(payment_seats(owner))
    assert (await house.act(owner, "complete")).status == 200
    paid = SeatPaid(at=house.clock.now(), booking_id=UUID(held), current_seats=1, max_seats=20)
    store = PostgresEventStore(house.pool, house.dsn)
    [outcome] = await store.append([Entry(UUID(owner), 3, [NewEvent(uuid4(), paid)])])
    await store.close()
    assert isinstance(outcome, Appended)


async def test_a_payment_that_an_earlier_version_took_completes(house: Installation) -> None:
    await paid_by_an_earlier_version(house)
    house.clock.move(timedelta(days=1) + 2 * HOUR)
    await house.let_time_act()
    assert ((await house.topics())["seat_completed"], await house.due()) == (1, 0)


async def test_payments_of_before_the_upgrade_complete(house: Installation) -> None:
    """The due work of then had forgotten them; the migration finds them in the log."""
    await paid_by_an_earlier_version(house)
    await house.workers[0].do_due()
    late = await house.book(group(days=1))
    await house.act(await house.book(payment_seats(late)), "pay")
    await house.pool.execute("DELETE FROM due_work WHERE booking_id <> group_id")
    [late_payments] = [sql for name, sql in migrations("before") if name.startswith("0017")]
    await house.pool.execute(late_payments)
    house.clock.move(timedelta(days=1) + 2 * HOUR)
    await house.let_time_act()
    assert (await house.topics())["seat_completed"] == 1


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
