"""A list says how many of the app's own groups it lacks, and nothing of another app's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from services.query.projection.projector import Projector
from services.query.reads.fresh_reads import FreshReads
from shared.runtime.postgres import Pool
from tests.integration.query.api import FOREIGN_KEY, Api
from tests.integration.query.conftest import wait_until_projected
from tests.integration.query.scenario import MASTER, Scenario

UNREADABLE_BY_TABLES = "a\x00b"


@asynccontextmanager
async def _projected(dsn: str, scenario: Scenario, reads: FreshReads) -> AsyncIterator[None]:
    projector = Projector(dsn, MASTER)
    task = asyncio.create_task(projector.run())
    await wait_until_projected(reads, scenario.position)
    yield
    projector.stop()
    await task


async def test_a_list_counts_the_apps_own_parked_groups_alone(
    database_url: str, scenario: Scenario, pool: Pool, reads: FreshReads, api: Api
) -> None:
    theirs = await pool.fetchval("SELECT app_id FROM apps WHERE app_id <> $1", api.app_id)
    for app_id, parked_later in ((api.app_id, 2), (theirs, 1)):
        for _ in range(parked_later):
            poison = await scenario.book(await scenario.create(app_id=app_id))
            await pool.execute(
                "UPDATE stored_events SET topic = 'seatledger.unknown' WHERE booking_id = $1",
                poison,
            )
    await scenario.create(app_id=api.app_id, what=UNREADABLE_BY_TABLES)
    for _ in range(3):
        await scenario.create(app_id=theirs, what=UNREADABLE_BY_TABLES)
    nobodys = await scenario.create(app_id=api.app_id)
    await pool.execute("UPDATE stored_events SET state = 'x' WHERE originator_id = $1", nobodys)
    await scenario.create(app_id=api.app_id)
    async with _projected(database_url, scenario, reads):
        assert await pool.fetchval("SELECT count(*) FROM parked") == 8
        for path in ("/bookings", "/bookings/groups", "/bookings?include=related_bookings"):
            ours, foreign = await api.get(path), await api.get(path, FOREIGN_KEY)
            assert ours.headers["Seatledger-Parked"] == "3"
            assert foreign.headers["Seatledger-Parked"] == "4"
            assert (len(ours.body["data"]), foreign.body["data"]) == (1, [])


async def test_nothing_is_said_where_nothing_is_parked(
    database_url: str, scenario: Scenario, pool: Pool, reads: FreshReads, api: Api
) -> None:
    await scenario.create(app_id=api.app_id)
    await scenario.create(what=UNREADABLE_BY_TABLES)  # another app's
    async with _projected(database_url, scenario, reads):
        assert "Seatledger-Parked" not in (await api.get("/bookings")).headers
