"""Read models made before there were views of rows get them at a start, and are not rebuilt."""

from __future__ import annotations

import asyncio
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio

from services.query.projection.rebuild.rebuild import check
from services.query.projection.schema import SCHEMA, VERSION, prepare
from shared.runtime.postgres import Pool
from tests.integration.query.api import Api
from tests.integration.query.conftest import Until
from tests.integration.query.scenario import MASTER, Scenario

pytestmark = pytest.mark.skipif(VERSION > 1, reason="later schemas are made with their views")
AS_IT_WAS = Path(__file__).with_name("query_v1_without_views.sql")
RELATIONS = """
SELECT relname, oid::bigint FROM pg_class
 WHERE relnamespace = current_schema()::regnamespace AND relkind::text = $1
 ORDER BY relname
"""
REPLACED = "SELECT ev_class::regclass::text, xmin::text FROM pg_rewrite WHERE ev_class > 16384"


@pytest_asyncio.fixture
async def database_url(database_url: str) -> str:
    """A ledger whose read models an earlier version made."""
    connection = await asyncpg.connect(
        database_url, server_settings={"search_path": f"{SCHEMA}, public"}
    )
    await connection.execute(AS_IT_WAS.read_text())
    await connection.close()
    return database_url


async def test_its_tables_stay_and_its_bookings_are_shown(
    database_url: str, pool: Pool, projected: Until, scenario: Scenario, api: Api
) -> None:
    tables = await pool.fetch(RELATIONS, "r")
    group_id = await scenario.create(app_id=api.app_id)
    seat = await scenario.book(group_id)
    await projected(scenario.position)
    await pool.execute("DROP VIEW group_rows, seat_rows")
    await prepare(database_url)
    for path in (f"/bookings/{seat}", f"/bookings/groups/{group_id}?include=related_bookings"):
        assert (await api.get(path)).status == 200
    assert [row["id"] for row in (await api.get("/bookings")).body["data"]] == [
        *(str(seat), str(group_id))
    ]
    await scenario.book(group_id)
    await projected(scenario.position)
    assert await check(database_url, MASTER, lambda _: None) is None
    assert await pool.fetch(RELATIONS, "r") == tables


async def test_views_that_are_there_are_left_alone(database_url: str, pool: Pool) -> None:
    views = await pool.fetch(RELATIONS, "v")
    assert [view["relname"] for view in views] == ["group_rows", "seat_rows"]
    rules = await pool.fetch(REPLACED)
    await asyncio.gather(*(prepare(database_url) for _ in range(4)))
    assert await pool.fetch(RELATIONS, "v") == views
    assert await pool.fetch(REPLACED) == rules


async def test_one_view_that_is_missing_is_made(database_url: str, pool: Pool) -> None:
    await pool.execute("DROP VIEW seat_rows")
    await prepare(database_url)
    assert await pool.fetchval("SELECT count(*) FROM seat_rows") == 0
