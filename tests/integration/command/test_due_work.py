"""Time as an actor (decision 0011): once, whoever acts, however often they were stopped."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest_asyncio

from tests.harness.callers.requests import group, payment_seats, seats
from tests.harness.waiting import until
from tests.integration.command.due_house import (
    HOLD,
    HOUR,
    NEVER,
    Installation,
    installed,
)


@pytest_asyncio.fixture
async def house(database_url: str) -> AsyncIterator[Installation]:
    async with installed(database_url, HOLD) as house:
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
