"""Time that came too early, and payments that came late: each booking gets its end, once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID, uuid4

import pytest_asyncio

from shared.domain.events import SeatPaid
from shared.eventlog.postgres import PostgresEventStore
from shared.eventlog.record import NewEvent
from shared.eventlog.store import Appended, Entry
from shared.migrate import migrations
from tests.harness.callers.requests import group, payment_seats, seats
from tests.integration.command.due_house import (
    BEFORE_THE_END,
    HOLD,
    HOUR,
    LONG_HOLD,
    NEVER,
    Installation,
    installed,
    state_in,
)


@pytest_asyncio.fixture
async def house(database_url: str) -> AsyncIterator[Installation]:
    async with installed(database_url, HOLD) as house:
        yield house


@pytest_asyncio.fixture
async def patient(database_url: str) -> AsyncIterator[Installation]:
    """A house whose holds last longer than a group and its hour after the end."""
    async with installed(database_url, LONG_HOLD) as house:
        yield house


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
