"""append_atomically(): all entries or none, and what it undid leaves no trace."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import uuid4

import asyncpg
import pytest_asyncio

from shared.eventlog.postgres import PostgresEventStore
from shared.eventlog.store import Answered, Appended, CommandAnswer, Confirmed, Conflict, Entry
from tests.harness.events.ledger import booked, created

TABLES = ("stored_events", "booking_keys", "command_answers")


@pytest_asyncio.fixture
async def pool(database_url: str) -> AsyncIterator[asyncpg.Pool[asyncpg.Record]]:
    async with asyncpg.create_pool(database_url, min_size=1, max_size=2) as pool:
        yield pool


@pytest_asyncio.fixture
async def store(
    database_url: str, pool: asyncpg.Pool[asyncpg.Record]
) -> AsyncIterator[PostgresEventStore]:
    store = PostgresEventStore(pool, database_url)
    yield store
    await store.close()


def _entry(expected: int = 0, **more: object) -> Entry:
    group_id = uuid4()
    event = created(group_id) if expected == 0 else booked()
    return Entry(group_id, expected, [event], **more)  # type: ignore[arg-type]


async def _state(pool: asyncpg.Pool[asyncpg.Record]) -> list[object]:
    counts = [await pool.fetchval(f"SELECT count(*) FROM {name}") for name in TABLES]  # noqa: S608
    return [*counts, tuple(await pool.fetchrow("SELECT position, hash FROM log_head") or ())]


async def test_all_entries_are_appended_in_one_commit(
    store: PostgresEventStore, pool: asyncpg.Pool[asyncpg.Record]
) -> None:
    outcomes = await store.append_atomically([_entry(), _entry(), _entry()])
    assert [type(one) for one in outcomes] == [Appended] * 3
    assert await pool.fetchval("SELECT count(DISTINCT xmin::text) FROM stored_events") == 1


async def test_a_conflict_undoes_the_entries_before_and_after_it(
    store: PostgresEventStore, pool: asyncpg.Pool[asyncpg.Record]
) -> None:
    known = _entry()
    await store.append_atomically([known])
    before = await _state(pool)
    late = Entry(known.group_id, 0, [booked()])
    outcomes = await store.append_atomically([_entry(), late, _entry()])
    assert [type(one) for one in outcomes] == [Confirmed, Conflict, Confirmed]
    assert isinstance(outcomes[1], Conflict)
    assert [missing.version for missing in outcomes[1].missing] == [1]
    assert await _state(pool) == before


async def test_a_command_that_was_answered_undoes_the_rest(
    store: PostgresEventStore, pool: asyncpg.Pool[asyncpg.Record]
) -> None:
    command = uuid4()
    answer = CommandAnswer(command, uuid4(), b"hash", b"answer", uuid4())
    await store.append_atomically([_entry(answers=[answer])])
    before = await _state(pool)
    outcomes = await store.append_atomically([_entry(), _entry(answers=[answer])])
    assert [type(one) for one in outcomes] == [Confirmed, Answered]
    assert await _state(pool) == before


async def test_the_chain_goes_on_after_what_was_undone(
    store: PostgresEventStore, pool: asyncpg.Pool[asyncpg.Record]
) -> None:
    await store.append_atomically([_entry(), Entry(uuid4(), 5, [booked()])])
    await store.append_atomically([_entry()])
    positions = await pool.fetch("SELECT notification_id FROM stored_events")
    assert [row[0] for row in positions] == [1]
