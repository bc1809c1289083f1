"""An event that cannot be applied sets its group aside, visibly; the others go on."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest

from services.query.projection.decrypt import OpenedEvent
from services.query.projection.parked_groups import NotParked, parked_groups, retry
from services.query.projection.projector import Projector
from services.query.projection.read_models import attendees
from services.query.projection.read_models.attendees import SeatRow
from services.query.projection.rebuild.compare import first_difference
from services.query.reads.fresh_reads import FreshReads
from services.query.reads.related_seats import snapshot
from shared.booking_api.errors import NotFreshYet
from shared.runtime.loops import running
from shared.runtime.postgres import Pool
from tests.harness.services.relays import eventually
from tests.integration.query.api import FOREIGN_KEY, Api
from tests.integration.query.conftest import wait_until_projected
from tests.integration.query.scenario import MASTER, Scenario

DAMAGES = {
    "unknown topic": "SET topic = 'seatledger.seat_painted'",
    "not its fields": """SET state = '{"no": 1}'""",
    "not JSON": "SET state = 'x'",
    "not sealed by its key": "SET state = convert_to(regexp_replace(convert_from(state, 'UTF8'),"
    " '\"sealed\":\"....', '\"sealed\":\"AAAA'), 'UTF8')",
}


async def _parked(pool: Pool) -> list[tuple[UUID, int, str]]:
    rows = await pool.fetch('SELECT group_id, "position", reason FROM parked')
    return [tuple(row) for row in rows]


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
async def test_an_unreadable_event_parks_its_group_and_no_other(
    damage: str,
    database_url: str,
    scenario: Scenario,
    pool: Pool,
    reads: FreshReads,
    api: Api,
) -> None:
    bad = await scenario.create(app_id=api.app_id)
    good = await scenario.create(app_id=api.app_id)
    poison = await scenario.book(bad)
    position = scenario.position
    await scenario.book(good)
    await scenario.book(bad)
    await pool.execute(f"UPDATE stored_events {damage} WHERE booking_id = $1", poison)
    async with running(Projector(database_url, MASTER)):
        await wait_until_projected(reads, scenario.position)
    [(group_id, at, reason)] = await _parked(pool)
    assert (group_id, at) == (bad, position)
    assert "example.org" not in reason
    assert await _count(pool, good) == (2, 1)
    assert await _count(pool, bad) == (1, 0)
    refused = await api.get(f"/bookings/groups/{bad}")
    assert (refused.status, refused.body["code"]) == (503, "parked")
    assert (await api.get(f"/bookings/groups/{bad}", FOREIGN_KEY)).status == 404
    assert (await api.get(f"/bookings/groups/{good}")).status == 200


async def _count(pool: Pool, group_id: UUID) -> tuple[int, int]:
    row = await pool.fetchrow(
        "SELECT version, current_seats FROM seat_counts WHERE group_id = $1", group_id
    )
    assert row is not None
    return row["version"], row["current_seats"]


async def test_what_the_tables_refuse_parks_its_group(
    database_url: str, scenario: Scenario, pool: Pool, reads: FreshReads
) -> None:
    groups = [await scenario.create() for _ in range(9)]
    bad = await scenario.create(what="a\x00b")
    position = scenario.position
    groups += [await scenario.create() for _ in range(9)]
    await scenario.book(bad)
    async with running(Projector(database_url, MASTER)):
        await wait_until_projected(reads, scenario.position)
    [(group_id, at, reason)] = await _parked(pool)
    assert (group_id, at) == (bad, position)
    assert "CharacterNotInRepertoireError" in reason
    assert [await _count(pool, group) for group in groups] == [(1, 0)] * 18


async def test_what_does_not_fit_a_column_parks_its_group(
    database_url: str, scenario: Scenario, pool: Pool, reads: FreshReads
) -> None:
    bad, good = await scenario.create(), await scenario.create()
    await scenario.append(bad, [scenario.booked(bad, uuid4(), 2**31, current_seats=1)])
    position = scenario.position
    await scenario.book(good)
    async with running(Projector(database_url, MASTER)):
        await wait_until_projected(reads, scenario.position)
    [(group_id, at, reason)] = await _parked(pool)
    assert (group_id, at) == (bad, position)
    assert reason.startswith("DataError")
    assert await _count(pool, good) == (2, 1)


async def test_a_bug_in_apply_parks_its_group_until_it_is_mended(
    database_url: str,
    scenario: Scenario,
    pool: Pool,
    reads: FreshReads,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bad, good = await scenario.create(), await scenario.create()
    unlucky = await scenario.book(bad, seats=2)
    apply = attendees.apply

    def with_a_bug(row: SeatRow | None, change: OpenedEvent) -> SeatRow:
        if change.event.booking_id == unlucky:
            raise KeyError("Marty McFly")
        return apply(row, change)

    with monkeypatch.context() as bug:
        bug.setattr(attendees, "apply", with_a_bug)
        await scenario.book(bad)
        await scenario.book(good)
        async with running(Projector(database_url, MASTER)):
            await wait_until_projected(reads, scenario.position)
            async with pool.acquire() as connection:
                again = await retry(connection, MASTER, bad)
        [(group_id, _, reason)] = await _parked(pool)
        assert (group_id, again and again.group_id) == (bad, bad)
        assert reason.startswith("KeyError at ") and "Marty" not in reason
    async with pool.acquire() as connection:
        [listed] = await parked_groups(connection)
        assert (listed.group_id, listed.version, listed.waiting) == (bad, 2, 2)
        assert await retry(connection, MASTER, bad) is None
        with pytest.raises(NotParked):
            await retry(connection, MASTER, bad)
    assert await _count(pool, bad) == (3, 3)
    async with snapshot(pool) as moment:
        assert await first_difference(moment, MASTER, scenario.position) is None


async def test_a_projection_may_stop_instead(
    database_url: str,
    scenario: Scenario,
    pool: Pool,
    reads: FreshReads,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await scenario.create(what="a\x00b")
    good = await scenario.create()
    async with running(Projector(database_url, MASTER, on_poison="stop")):
        with pytest.raises(NotFreshYet):
            await reads.until_projected()
        assert await reads.group(good) is not None
    assert await _parked(pool) == []
    assert await pool.fetchval("SELECT count(*) FROM groups") == 0
    assert "resigned: the projection stops at position 1" in caplog.text
    async with running(Projector(database_url, MASTER)):
        await wait_until_projected(reads, scenario.position)
    assert len(await _parked(pool)) == 1


async def test_an_erased_person_is_shown_erased(
    database_url: str, scenario: Scenario, pool: Pool, reads: FreshReads, api: Api
) -> None:
    group_id = await scenario.create(app_id=api.app_id)
    before, after = await scenario.book(group_id), await scenario.book(group_id)
    await scenario.erase(group_id, before, pool)
    async with running(Projector(database_url, MASTER)):
        await wait_until_projected(reads, scenario.position)
        await scenario.erase(group_id, after, pool)
        got = await api.get(f"/bookings/{group_id}?include=related_bookings.customers")
    seats = got.body["data"]["related_bookings"]
    assert [(seat["state"], seat["customers"]) for seat in seats] == [("confirmed", [])] * 2


async def test_a_term_that_is_over_writes_nothing(
    database_url: str, scenario: Scenario, pool: Pool, reads: FreshReads
) -> None:
    first, second = Projector(database_url, MASTER), Projector(database_url, MASTER)
    async with running(first):
        await scenario.create()
        await wait_until_projected(reads, scenario.position)
        await pool.execute("UPDATE checkpoint SET epoch = epoch + 1")
        await scenario.create()
        async with running(second):
            await wait_until_projected(reads, scenario.position)
    assert await pool.fetchval("SELECT count(*) FROM groups") == 2


async def test_what_happens_while_a_group_is_taken_back_is_projected_too(
    database_url: str, scenario: Scenario, pool: Pool, reads: FreshReads
) -> None:
    bad = await scenario.create()
    poison = await scenario.book(bad)
    await _damage(pool, poison, "seatledger.seat_painted")
    async with running(Projector(database_url, MASTER)):
        await wait_until_projected(reads, scenario.position)
        await _damage(pool, poison, "seatledger.seat_booked")
        async with pool.acquire() as connection, connection.transaction():
            await connection.execute("SELECT FROM checkpoint FOR UPDATE")
            await scenario.book(bad)
            await eventually(lambda: pool.fetchval(_WAITS_FOR_THE_CHECKPOINT))
            assert await retry(connection, MASTER, bad) is None
        await wait_until_projected(reads, scenario.position)
    assert await _parked(pool) == []
    async with snapshot(pool) as moment:
        assert await first_difference(moment, MASTER, scenario.position) is None


_WAITS_FOR_THE_CHECKPOINT = (
    "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    " AND application_name = 'seatledger projector')"
)


async def _damage(pool: Pool, booking_id: UUID, topic: str) -> None:
    await pool.execute(
        "UPDATE stored_events SET topic = $2 WHERE booking_id = $1", booking_id, topic
    )
