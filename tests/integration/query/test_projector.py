"""The projector: every event applied exactly once, whatever the batches; old leaders fenced off."""

from __future__ import annotations

import asyncio

import pytest

from services.query.projection.log_reader import following
from services.query.projection.projector import Projector
from services.query.projection.read_models import attendees, groups
from services.query.projection.rebuild.compare import Difference, first_difference
from services.query.reads.fresh_reads import FreshReads
from services.query.reads.related_seats import snapshot
from shared.eventlog.wakeup import Wakeup
from shared.runtime.loops import running
from shared.runtime.postgres import Pool
from tests.integration.query.conftest import Until, wait_until_projected
from tests.integration.query.play import play
from tests.integration.query.scenario import MASTER, Scenario
from tests.integration.query.statements import sql


async def _difference(pool: Pool) -> Difference | None:
    async with snapshot(pool) as connection:
        state = await connection.fetchrow(sql("checkpoint_read"))
        assert state is not None
        return await first_difference(connection, MASTER, state["position"])


async def test_groups_counts_and_attendees_follow_the_log(
    scenario: Scenario, projected: Until, pool: Pool
) -> None:
    group_id = await scenario.create(max_seats=20, details={"participants": ["a@b.example"]})
    first = await scenario.book(group_id, seats=3, meta={"diet": "none"})
    await scenario.book(group_id)
    await projected(await scenario.cancel(group_id, first, seats=1))
    async with pool.acquire() as connection:
        group = (await groups.load(connection, [group_id]))[group_id]
        seat = (await attendees.load(connection, [first]))[first]
    count = await pool.fetchrow("SELECT * FROM seat_counts WHERE group_id = $1", group_id)
    assert count is not None
    assert (count["version"], count["current_seats"], count["max_seats"]) == (4, 3, 20)
    assert groups.view(group, 3).participants == ["a@b.example"]
    shown = attendees.view(seat, groups.view(group, 3))
    assert (shown.seats, shown.state, shown.meta) == (2, "confirmed", {"diet": "none"})
    assert shown.customer is not None and shown.customer.name == "Marty McFly"


async def test_whoever_is_behind_reads_more_at_a_time_and_near_the_head_little(
    database_url: str, scenario: Scenario, pool: Pool
) -> None:
    group_id = await scenario.create(max_seats=1_000_000)
    await scenario.book_many(group_id, 2_000)
    wakeup = Wakeup(database_url)
    seen, sizes = list[int](), list[int]()
    async with asyncio.timeout(60), running(wakeup):
        async for changes in following(pool, wakeup, MASTER, batch=100).follow(0):
            seen += [change.position for change in changes]
            sizes.append(len(changes))
            if seen[-1] == 2_001:
                await scenario.book_many(group_id, 150)
            if seen[-1] == 2_151:
                break
    assert seen == list(range(1, 2_152))
    assert sizes[:4] == [100, 200, 400, 400] and max(sizes) == 400
    assert sizes[-2:] == [100, 50]


@pytest.mark.parametrize("batch", [1, 3, 500])
async def test_the_read_models_are_what_the_log_folds_to(
    database_url: str, scenario: Scenario, pool: Pool, reads: FreshReads, batch: int
) -> None:
    await play(scenario, pool, 300, seed=batch)
    projector = Projector(database_url, MASTER, batch=batch)
    async with running(projector):
        await wait_until_projected(reads, scenario.position)
        await play(scenario, pool, 100, seed=-batch)
        await wait_until_projected(reads, scenario.position)
    assert await _difference(pool) is None


async def test_a_change_of_a_row_is_found(scenario: Scenario, projected: Until, pool: Pool) -> None:
    group_id = await scenario.create()
    await scenario.book(group_id)
    await projected(scenario.position)
    for damage in (
        "UPDATE seat_counts SET current_seats = 2",
        "UPDATE attendees SET state = 'paid'",
        "UPDATE attendees SET customer = NULL",
        "UPDATE groups SET state = 'cancelled'",
        "UPDATE attendees SET group_id = gen_random_uuid()",
        "DELETE FROM attendees",
        "DELETE FROM groups",
    ):
        async with pool.acquire() as connection:
            damaging = connection.transaction()
            await damaging.start()
            await connection.execute(damage)
            found = await first_difference(connection, MASTER, scenario.position)
            await damaging.rollback()
        assert found is not None, damage
    assert await _difference(pool) is None
