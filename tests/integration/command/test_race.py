"""Many clients, few seats, two processes: none is sold twice, none refused that was free.

Each safety is then taken out in turn, and the race must notice.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import aiohttp
import asyncpg
import pytest

from tests.harness.callers.race import Call, Race
from tests.harness.checker.race_checks import broken_promises
from tests.harness.services.processes import command_processes

SIZES = (1, 2, 3, 5, 8, 13, 25, 50)

CHECKS_THE_VERSION = "versions[i] <> expected_versions[i]"
LOCKS_THE_HEAD = "SELECT h.position, h.hash INTO head, link FROM log_head h FOR UPDATE;"
KNOWS_COMMANDS = "IF cardinality(answer_commands) > 0 THEN"


MOST_RACES = 8


async def run_race(
    dsn: str,
    module: Sequence[str] = ("services.command",),
    clients: int = 200,
    until: str | None = None,
) -> list[str]:
    """The promises that were broken: in one race, or in as many as it takes to break `until`."""
    async with (
        command_processes(dsn, 2, module) as processes,
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session,
        asyncpg.create_pool(dsn, min_size=1, max_size=2) as pool,
    ):
        groups: dict[UUID, int] = {}
        calls: list[Call] = []
        broken: list[str] = []
        for seed in range(1 if until is None else MOST_RACES):
            race = Race(session, [process.url for process in processes], seed)
            await race.open_groups(SIZES)
            await race.run(clients)
            await race.to_and_fro()
            assert len(race.calls) > clients * 4
            groups |= race.groups
            calls += race.calls
            broken = await broken_promises(pool, groups, calls)
            if until is not None and any(until in promise for promise in broken):
                break
        return broken


async def change_append(dsn: str, old: str, new: str, *more: str) -> None:
    """Take a safety out of `append()` in this database."""
    connection = await asyncpg.connect(dsn)
    source = await connection.fetchval(
        "SELECT pg_get_functiondef(oid) FROM pg_proc WHERE proname = 'append'"
    )
    assert old in source
    for statement in (source.replace(old, new), *more):
        await connection.execute(statement)
    await connection.close()


async def test_no_seat_is_sold_twice_and_none_is_refused_that_was_free(database_url: str) -> None:
    assert await run_race(database_url) == []


async def test_it_notices_when_versions_are_not_unique(database_url: str) -> None:
    await change_append(
        database_url,
        CHECKS_THE_VERSION,
        "false",
        "ALTER TABLE stored_events DROP CONSTRAINT stored_events_pkey",
    )
    broken = await run_race(database_url, until="sold")
    assert any("sold" in promise for promise in broken), broken


async def test_it_notices_when_the_head_is_not_locked(database_url: str) -> None:
    await change_append(
        database_url,
        LOCKS_THE_HEAD,
        LOCKS_THE_HEAD.replace(" FOR UPDATE", "") + " PERFORM pg_sleep(0.003);",
        "DROP INDEX stored_events_notification_id_idx",
    )
    broken = await run_race(database_url, until="positions are not dense")
    assert "positions are not dense" in broken


@pytest.mark.parametrize(
    ("fault", "complaint"),
    [("confirmed_refusals", "were refused that were free"), ("idempotency", "different answers")],
)
async def test_it_notices_when_a_safety_is_taken_out(
    database_url: str, fault: str, complaint: str
) -> None:
    module = ("tests.harness.faults.fault_injection", fault)
    broken = await run_race(database_url, module, until=complaint)
    assert any(complaint in promise for promise in broken), broken
