"""Log order: a tailing reader misses nothing, whoever writes; without the head lock it does."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from uuid import uuid4

import asyncpg

from shared.eventlog.postgres import PostgresEventStore
from shared.eventlog.store import Appended, Entry
from tests.harness.callers.tailing import tailing
from tests.harness.checker.evidence import Evidence
from tests.harness.checker.followers import check_followed
from tests.harness.checker.gathering import gather_evidence
from tests.harness.checker.ledger import check_ledger
from tests.harness.events.ledger import created
from tests.harness.faults.reverts import draw_positions_without_the_lock

WRITERS = 8
APPENDS = 60
ROUNDS = 20


async def write(store: PostgresEventStore, appends: int) -> int:
    """Groups of one event, one append each; how many events it was told are durable."""
    appended = 0
    for _ in range(appends):
        group_id = uuid4()
        [outcome] = await store.append([Entry(group_id, 0, [created(group_id)])])
        appended += isinstance(outcome, Appended)
    return appended


async def write_and_follow(dsn: str) -> tuple[int, Evidence]:
    """All writers at once, with a reader at the end of the log."""
    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(asyncpg.create_pool(dsn, min_size=1, max_size=1))
        stores = [PostgresEventStore(pool, dsn) for _ in range(WRITERS)]
        for store in stores:
            stack.push_async_callback(store.close)
        reader = await stack.enter_async_context(tailing(dsn))
        counts = await asyncio.gather(*(write(store, APPENDS) for store in stores))
        await reader.until(await pool.fetchval("SELECT max(notification_id) FROM stored_events"))
    return sum(counts), await gather_evidence(dsn, followed=reader.seen)


async def test_a_reader_of_the_tail_sees_what_eight_writers_append(database_url: str) -> None:
    appended, evidence = await write_and_follow(database_url)
    assert appended == WRITERS * APPENDS == len(evidence.log)
    assert evidence.followed == [record.event_id for record in evidence.log]
    assert [*check_ledger(evidence), *check_followed(evidence)] == []


async def test_without_the_head_lock_the_checker_finds_missed_events(database_url: str) -> None:
    await draw_positions_without_the_lock(database_url)
    for _ in range(ROUNDS):
        _, evidence = await write_and_follow(database_url)
        if found := {violation.invariant for violation in check_followed(evidence)}:
            assert found == {"missed"}
            return
    raise AssertionError(f"nothing was missed in {ROUNDS} rounds")
