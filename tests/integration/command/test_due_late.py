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
from tests.integration.command.due_installation import (
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
async def installation(database_url: str) -> AsyncIterator[Installation]:
    async with installed(database_url, HOLD) as installation:
        yield installation


@pytest_asyncio.fixture
async def long_hold(database_url: str) -> AsyncIterator[Installation]:
    """A installation whose holds last longer than a group and its hour after the end."""
    async with installed(database_url, LONG_HOLD) as installation:
        yield installation


async def test_what_is_still_to_be_paid_outlives_its_group_and_ends_once(
    long_hold: Installation,
) -> None:
    """One of two holds is paid after its group has completed, the other one runs out."""
    owner = await long_hold.book(group(days=1))
    long_hold.clock.move(BEFORE_THE_END)
    paid, _, _ = [await long_hold.book(one(owner)) for one in (payment_seats, payment_seats, seats)]
    long_hold.clock.move(HOUR + timedelta(minutes=1))
    await long_hold.let_time_act()
    completed = {"group_created": 1, "seat_booked": 3, "group_completed": 1}
    assert await long_hold.topics() == completed
    assert state_in(await long_hold.act(paid, "pay")) == "completed"
    long_hold.clock.move(LONG_HOLD)
    await long_hold.let_time_act()
    ended = {"seat_paid": 1, "seat_completed": 1, "seat_expired": 1}
    assert await long_hold.topics() == completed | ended
    assert await long_hold.due() == 0


async def test_due_work_that_was_refused_is_kept_until_it_can_be_decided(
    long_hold: Installation,
) -> None:
    """The seats' own moments come during their holds; then the group is moved to another day."""
    owner = await long_hold.book(group(days=1, **NEVER))
    long_hold.clock.move(BEFORE_THE_END)
    one, other = [await long_hold.book(payment_seats(owner)) for _ in range(2)]
    long_hold.clock.move(HOUR + timedelta(minutes=1))
    await long_hold.let_time_act()
    assert await long_hold.due() == 4
    assert state_in(await long_hold.act(one, "pay")) == "completed"
    await long_hold.move(owner, timedelta(days=9))
    assert state_in(await long_hold.act(other, "pay")) == "paid"
    long_hold.clock.move(timedelta(days=9))
    await long_hold.let_time_act()
    assert (await long_hold.topics())["seat_completed"] == 1
    long_hold.clock.move(2 * HOUR)
    await long_hold.let_time_act()
    assert ((await long_hold.topics())["seat_completed"], await long_hold.due()) == (2, 0)


async def test_what_time_asked_for_too_early_is_asked_for_again(installation: Installation) -> None:
    """As when another process moves the group after the worker looked and before it acts."""
    owner = await installation.book(group(days=1))
    await installation.move(owner, timedelta(days=9))
    await installation.let_time_act()
    await installation.pool.execute("UPDATE due_work SET due_at = $1", installation.clock.now())
    await installation.let_time_act()
    assert await installation.due() == 1
    installation.clock.move(timedelta(days=9) + 2 * HOUR)
    await installation.let_time_act()
    assert (await installation.topics())["group_completed"] == 1


async def paid_by_an_earlier_version(installation: Installation) -> None:
    """It wrote the payment alone, into a group that had completed."""
    owner = await installation.book(group(days=1))
    held = await installation.book(payment_seats(owner))
    assert (await installation.act(owner, "complete")).status == 200
    paid = SeatPaid(
        at=installation.clock.now(), booking_id=UUID(held), current_seats=1, max_seats=20
    )
    store = PostgresEventStore(installation.pool, installation.dsn)
    [outcome] = await store.append([Entry(UUID(owner), 3, [NewEvent(uuid4(), paid)])])
    await store.close()
    assert isinstance(outcome, Appended)


async def test_a_payment_that_an_earlier_version_took_completes(installation: Installation) -> None:
    await paid_by_an_earlier_version(installation)
    installation.clock.move(timedelta(days=1) + 2 * HOUR)
    await installation.let_time_act()
    assert ((await installation.topics())["seat_completed"], await installation.due()) == (1, 0)


async def test_payments_of_before_the_upgrade_complete(installation: Installation) -> None:
    """The due work of then had forgotten them; the migration finds them in the log."""
    await paid_by_an_earlier_version(installation)
    await installation.workers[0].do_due()
    late = await installation.book(group(days=1))
    await installation.act(await installation.book(payment_seats(late)), "pay")
    await installation.pool.execute("DELETE FROM due_work WHERE booking_id <> group_id")
    [late_payments] = [sql for name, sql in migrations("before") if name.startswith("0017")]
    await installation.pool.execute(late_payments)
    installation.clock.move(timedelta(days=1) + 2 * HOUR)
    await installation.let_time_act()
    assert (await installation.topics())["seat_completed"] == 1
