"""Time as an actor (decision 0011): once, whoever acts, however often they were stopped."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest_asyncio

from tests.harness.callers.requests import group, payment_seats, seats
from tests.harness.waiting import until
from tests.integration.command.due_installation import (
    HOLD,
    HOUR,
    NEVER,
    Installation,
    installed,
)


@pytest_asyncio.fixture
async def installation(database_url: str) -> AsyncIterator[Installation]:
    async with installed(database_url, HOLD) as installation:
        yield installation


async def test_a_group_completes_one_hour_after_its_end_and_once(
    installation: Installation,
) -> None:
    owner = await installation.book(group(days=1))
    await installation.book(seats(owner))
    installation.clock.move(timedelta(days=1) + 2 * HOUR - timedelta(minutes=1))
    await installation.let_time_act()
    assert (await installation.topics())["group_completed"] == 0
    installation.clock.move(timedelta(minutes=2))
    await installation.let_time_act()
    await installation.let_time_act()
    assert await installation.topics() == {
        "group_created": 1,
        "seat_booked": 1,
        "group_completed": 1,
    }
    assert await installation.due() == 0


async def test_who_says_so_completes_by_hand(installation: Installation) -> None:
    owner = await installation.book(group(days=1, **NEVER))
    await installation.book(seats(owner))
    await installation.book(seats(owner, **NEVER))
    installation.clock.move(timedelta(days=3))
    await installation.let_time_act()
    assert await installation.topics() == {
        "group_created": 1,
        "seat_booked": 2,
        "seat_completed": 1,
    }


async def test_a_hold_that_is_not_paid_expires_and_frees_its_seats(
    installation: Installation,
) -> None:
    owner = await installation.book(group(max_seats=2, days=1))
    paid, _ = [await installation.book(payment_seats(owner)) for _ in range(2)]
    assert (await installation.act(paid, "pay")).status == 200
    installation.clock.move(HOLD)
    await installation.let_time_act()
    assert (await installation.topics())["seat_expired"] == 1
    await installation.book(seats(owner))
    assert await installation.due() == 1


async def test_decide_and_the_worker_never_expire_a_hold_twice(installation: Installation) -> None:
    owner = await installation.book(group(max_seats=1, days=1))
    await installation.book(payment_seats(owner))
    installation.clock.move(HOLD)
    await asyncio.gather(installation.book(seats(owner)), installation.let_time_act())
    await installation.let_time_act()
    assert await installation.topics() == {"group_created": 1, "seat_booked": 2, "seat_expired": 1}


async def test_a_hundred_groups_are_completed_by_three_workers_once_each(
    installation: Installation,
) -> None:
    await asyncio.gather(*(installation.book(group(days=1)) for _ in range(100)))
    installation.clock.move(timedelta(days=2))
    await installation.let_time_act()
    assert (await installation.topics())["group_completed"] == 100


async def test_what_was_done_before_a_crash_is_not_done_again(installation: Installation) -> None:
    await installation.book(group(days=1))
    installation.clock.move(timedelta(days=2))
    await installation.let_time_act()
    # As if it had crashed after the command and before its own note of it, and lost its tables.
    await installation.pool.execute(
        "TRUNCATE due_groups, due_work; UPDATE due_checkpoint SET position=0"
    )
    await installation.let_time_act()
    assert (await installation.topics())["group_completed"] == 1
    await installation.pool.execute(
        "INSERT INTO due_work SELECT group_id, 'complete', group_id, app_id, end_at FROM due_groups"
    )
    await installation.let_time_act()
    assert ((await installation.topics())["group_completed"], await installation.due()) == (1, 0)


async def test_a_group_that_was_moved_completes_after_its_new_end(
    installation: Installation,
) -> None:
    owner = await installation.book(group(days=1))
    await installation.workers[0].do_due()
    await installation.move(owner, timedelta(days=9))
    installation.clock.move(timedelta(days=9))
    await installation.let_time_act()
    assert (await installation.topics())["group_completed"] == 0
    installation.clock.move(2 * HOUR)
    await installation.let_time_act()
    assert (await installation.topics())["group_completed"] == 1


async def test_cancelled_bookings_are_no_work_for_anyone(installation: Installation) -> None:
    owner = await installation.book(group(days=1))
    held = await installation.book(payment_seats(owner))
    await installation.workers[0].do_due()
    assert await installation.due() == 2
    await installation.act(held, "cancel_by_owner")
    await installation.act(owner, "cancel")
    await installation.workers[0].do_due()
    assert await installation.due() == 0


async def test_an_elected_worker_acts_by_itself(installation: Installation) -> None:
    await installation.book(group(days=1))
    installation.clock.move(timedelta(days=2))
    running = [asyncio.create_task(worker.run()) for worker in installation.workers]

    async def completed() -> int:
        return (await installation.topics())["group_completed"]

    await until(completed, 20)
    for worker in installation.workers:
        worker.stop()
    await asyncio.gather(*running)
    assert (await installation.topics())["group_completed"] == 1
