"""The relay's two small parts: how far it is, and one group strictly in order."""

from __future__ import annotations

import asyncio
from functools import partial
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.query.relay_lanes import Lanes
from services.query.relay_progress import Progress
from shared.eventlog.wakeup import Wakeup


@given(st.permutations(range(11, 31)), st.integers(0, 20))
def test_the_checkpoint_is_the_highest_position_below_which_all_is_done(
    order: list[int], count: int
) -> None:
    progress = Progress(10)
    for position in order[:count]:
        progress.done(position)
    done = set(order[:count])
    expected = next((each - 1 for each in range(11, 31) if each not in done), 30)
    assert progress.checkpoint == expected
    assert all(progress.is_done(each) == (each in done) for each in range(11, 31))


async def test_groups_run_side_by_side_and_one_group_never() -> None:
    running: set[UUID] = set()
    most, order = 0, []

    async def job(group_id: UUID, number: int) -> None:
        nonlocal most
        assert group_id not in running
        running.add(group_id)
        most = max(most, len(running))
        for _ in range(number % 3):
            await asyncio.sleep(0)
        running.discard(group_id)
        order.append((group_id, number))

    groups = [UUID(int=number) for number in range(5)]
    async with asyncio.TaskGroup() as tasks:
        lanes = Lanes(tasks)
        for number in range(20):
            for group_id in groups:
                await lanes.put(group_id, partial(job, group_id, number))
        await lanes.idle()
    assert most == len(groups)
    for group_id in groups:
        assert [number for each, number in order if each == group_id] == list(range(20))


async def test_no_more_is_taken_than_there_is_room_for() -> None:
    gate = asyncio.Event()

    async def job() -> None:
        await gate.wait()

    async with asyncio.TaskGroup() as tasks:
        lanes = Lanes(tasks, room=2)
        await lanes.put(UUID(int=1), job)
        await lanes.put(UUID(int=1), job)
        third = asyncio.ensure_future(lanes.put(UUID(int=2), job))
        await asyncio.sleep(0)
        assert not third.done()
        gate.set()
        await third
        await lanes.idle()


async def test_a_failing_job_ends_everything() -> None:
    async def job() -> None:
        raise ValueError

    with pytest.raises(ExceptionGroup) as failures:
        async with asyncio.TaskGroup() as tasks:
            lanes = Lanes(tasks)
            await lanes.put(UUID(int=1), job)
            await asyncio.get_running_loop().create_future()
    assert failures.value.subgroup(ValueError)


async def test_what_comes_while_everything_ends_is_refused_and_left_behind_by_nobody() -> None:
    async def job() -> None: ...

    async def late(lanes: Lanes) -> None:
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            await lanes.put(UUID(int=1), job)  # an unawaited coroutine fails the test

    with pytest.raises(ExceptionGroup) as failures:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(late(Lanes(tasks)))
            await asyncio.sleep(0)
            raise ValueError
    assert failures.value.subgroup(RuntimeError)


async def test_waiting_for_news_is_cancelled_even_if_the_news_comes_at_that_moment() -> None:
    wakeup = Wakeup("nowhere")
    waiting = asyncio.create_task(wakeup.wait(wakeup.token()))
    for _ in range(3):
        await asyncio.sleep(0)
    wakeup._tell()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
