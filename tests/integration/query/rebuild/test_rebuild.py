"""A rebuild: beside the live read models, resumed wherever it was killed, equal to the log."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from services.query.projection.projector import Projector
from services.query.projection.rebuild import rebuild
from services.query.projection.rebuild.rebuild import (
    NEXT,
    NotEqual,
    Progress,
    Rebuild,
    RebuildRunning,
    check,
)
from services.query.reads.fresh_reads import FreshReads
from shared.runtime.postgres import Pool
from tests.integration.query.api import Api
from tests.integration.query.conftest import Until
from tests.integration.query.play import play
from tests.integration.query.scenario import MASTER, Scenario

KEY = b"m" * 32


def _silent(_: Progress) -> None:
    return None


def _rebuild(dsn: str, workers: int = 2) -> Rebuild:
    return Rebuild(dsn, KEY, workers, _silent)


async def test_a_rebuild_ends_equal_to_the_log_and_is_followed_on(
    database_url: str, scenario: Scenario, projected: Until, pool: Pool
) -> None:
    await play(scenario, pool, 200, seed=1)
    await projected(scenario.position)
    before = await pool.fetchval("SELECT 'groups'::regclass::oid")
    assert await _rebuild(database_url).run() == scenario.position
    assert await pool.fetchval("SELECT 'groups'::regclass::oid") != before
    await play(scenario, pool, 50, seed=2)
    await projected(scenario.position)
    assert await check(database_url, MASTER, _silent) is None
    assert await pool.fetch("SELECT FROM pg_namespace WHERE nspname ~ '(next|old)$'") == []


async def test_answers_go_on_and_never_go_back_during_a_rebuild(
    database_url: str, projector: Projector, scenario: Scenario, api: Api
) -> None:
    group_id = await scenario.create(app_id=api.app_id, max_seats=100_000)
    await scenario.book_many(group_id, 3_000)
    rebuilding = asyncio.create_task(_rebuild(database_url).run())
    rounds = 0
    while not rebuilding.done() or rounds < 20:
        rounds += 1
        seat = await scenario.book(group_id)
        paths = [f"/bookings/groups/{group_id}", "/bookings?limit=1", f"/bookings/{seat}"]
        answers = await asyncio.gather(*(api.get(path) for path in paths))
        taken = answers[0].body["data"]["attributes"]["group_booking"]["current_seats"]
        assert taken == 3_000 + rounds
        if answers[1].status == 200:
            assert answers[1].body["data"][0]["id"] == str(seat)
        else:
            assert answers[1].body["code"] in ("not_fresh_yet", "unavailable")
        assert answers[2].body["data"]["id"] == str(seat)
    await rebuilding
    assert rounds >= 20


class Killed(Exception):
    """The test ended the rebuild here."""


async def test_a_rebuild_goes_on_where_it_was_killed(
    database_url: str,
    scenario: Scenario,
    projected: Until,
    pool: Pool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await play(scenario, pool, 200, seed=3)
    await projected(scenario.position)
    for step in ("create_indexes", "stranger", "_apply"):
        with monkeypatch.context() as broken:

            async def killed(*_: object) -> None:
                raise Killed

            broken.setattr(rebuild, step, killed)
            await play(scenario, pool, 10, seed=4)
            with pytest.raises(Killed):
                await _rebuild(database_url).run()
        assert await pool.fetchval(f"SELECT count(*) FROM {NEXT}.groups")  # noqa: S608
    await projected(scenario.position)
    await _rebuild(database_url, workers=5).run()
    assert await check(database_url, MASTER, _silent) is None


async def test_what_differs_from_the_log_is_not_switched_to(
    database_url: str, scenario: Scenario, projected: Until, pool: Pool
) -> None:
    group_id = await scenario.create()
    await scenario.book_many(group_id, 20)
    await projected(scenario.position)

    def damage(now: Progress) -> None:
        if now.phase == "indexes":
            damages.append(
                asyncio.create_task(
                    pool.execute(f"UPDATE {NEXT}.seat_counts SET current_seats = 7")  # noqa: S608
                )
            )

    damages: list[asyncio.Task[str]] = []
    with pytest.raises(NotEqual) as refused:
        await Rebuild(database_url, KEY, 1, damage).run()
    assert refused.value.difference.group_id == group_id
    assert await pool.fetchval("SELECT current_seats FROM seat_counts") == 20


async def test_a_check_names_the_first_difference(
    database_url: str, scenario: Scenario, projected: Until, pool: Pool
) -> None:
    group_id = await scenario.create()
    await projected(scenario.position)
    await pool.execute("UPDATE seat_counts SET current_seats = 3")
    found = await check(database_url, MASTER, _silent)
    assert found is not None
    assert str(found) == f"group {group_id}, current_seats: 0 expected, 3 found"


async def test_only_one_rebuild_runs_at_a_time(database_url: str, scenario: Scenario) -> None:
    await scenario.create()
    holder = await asyncpg.connect(database_url)
    await holder.execute("SELECT pg_advisory_lock($1)", rebuild._LOCK)
    with pytest.raises(RebuildRunning):
        await _rebuild(database_url).run()
    await holder.close()


async def test_a_poison_group_is_parked_by_the_rebuild_too(
    database_url: str, scenario: Scenario, pool: Pool, reads: FreshReads
) -> None:
    bad, good = await scenario.create(what="a\x00b"), await scenario.create()
    await scenario.book(good)
    await _rebuild(database_url).run()
    assert await pool.fetchval("SELECT array_agg(group_id) FROM parked") == [bad]
    assert await pool.fetchval("SELECT array_agg(group_id) FROM groups") == [good]
    assert await check(database_url, MASTER, _silent) is None
    assert (await reads.positions()).projected == scenario.position
