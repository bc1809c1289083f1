"""The operator's commands of the query side, as a terminal runs them; a replay survives kill -9."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import sys
from typing import Any

from services.query.projection.projector import Projector
from services.query.projection.rebuild.rebuild import NEXT, check
from services.query.reads.fresh_reads import FreshReads
from shared.runtime.postgres import Pool
from tests.integration.query.conftest import Until, wait_until_projected
from tests.integration.query.scenario import MASTER, Scenario

MASTER_KEY = base64.b64encode(b"m" * 32).decode()


async def _started(dsn: str, *arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "services.cli",
        *arguments,
        env={**os.environ, "DATABASE_URL": dsn, "SEATLEDGER_MASTER_KEY": MASTER_KEY},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def _run(dsn: str, *arguments: str) -> tuple[int | None, list[dict[str, Any]], str]:
    """Exit status, the rows it printed as JSON, and what it said beside them."""
    process = await _started(dsn, *arguments, "--json")
    out, said = await process.communicate()
    return process.returncode, [json.loads(line) for line in out.splitlines()], said.decode()


async def test_status_tells_the_lag(database_url: str, scenario: Scenario, pool: Pool) -> None:
    await scenario.create()
    status, rows, _ = await _run(database_url, "status")
    [projector] = [row for row in rows if row["follower"] == "projector"]
    assert status == 0
    assert (projector["position"], projector["head"], projector["lag"]) == (0, 1, 1)


async def test_a_replay_is_checked_and_replaces(
    database_url: str, scenario: Scenario, projected: Until, pool: Pool
) -> None:
    await scenario.book(await scenario.create())
    await projected(scenario.position)
    assert (await _run(database_url, "replay", "--check"))[0] == 0
    await pool.execute("UPDATE seat_counts SET current_seats = 5")
    status, _, said = await _run(database_url, "replay", "--check")
    assert status == 1
    assert "current_seats: 1 expected, 5 found" in said
    status, rows, said = await _run(database_url, "replay")
    assert (status, rows) == (0, [{"result": "replaced", "position": scenario.position}]), said
    assert (await _run(database_url, "replay", "--check"))[0] == 0


async def test_a_replay_that_is_killed_goes_on_when_it_is_started_again(
    database_url: str, scenario: Scenario, projected: Until, pool: Pool
) -> None:
    group_id = await scenario.create(max_seats=100_000)
    await scenario.book_many(group_id, 9_000)
    await projected(scenario.position)
    process = await _started(database_url, "replay", "--workers", "2")
    done = 0
    while not done and process.returncode is None:
        if await pool.fetchval("SELECT to_regclass($1)", f"{NEXT}.rebuild"):
            done = await pool.fetchval(f"SELECT max(position) FROM {NEXT}.rebuild")  # noqa: S608
    process.kill()
    async with asyncio.timeout(30):
        await process.communicate()  # ends when the last of its workers does
    assert done > 0
    status, rows, _ = await _run(database_url, "replay")
    assert (status, rows[0]["position"]) == (0, scenario.position)
    assert await check(database_url, MASTER, lambda _: None) is None


async def test_parked_groups_are_listed_and_retried(
    database_url: str, scenario: Scenario, reads: FreshReads, pool: Pool
) -> None:
    group_id = await scenario.create()
    whole = await pool.fetchval("SELECT state FROM stored_events")
    await pool.execute("UPDATE stored_events SET state = 'x'")
    projector = Projector(database_url, MASTER)
    running = asyncio.create_task(projector.run())
    await wait_until_projected(reads, scenario.position)
    projector.stop()
    await running
    _, [row], _ = await _run(database_url, "parked", "list")
    assert (row["group_id"], row["position"], row["waiting"]) == (str(group_id), 1, 1)
    status, [again], _ = await _run(database_url, "parked", "retry", str(group_id))
    assert (status, again["result"], again["position"]) == (1, "parked again", 1)
    await pool.execute("UPDATE stored_events SET state = $1", whole)
    status, [taken], _ = await _run(database_url, "parked", "retry", str(group_id))
    assert (status, taken["result"]) == (0, "taken back")
    status, _, said = await _run(database_url, "parked", "retry", str(group_id))
    assert status == 2
    assert "is not parked" in said
    assert (await _run(database_url, "parked", "list"))[1] == []
