"""Turns on a group: one process at a time, nobody for long, and never needed for safety."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import asyncpg
import pytest_asyncio

from deploy.local.processes.ports import free_ports
from shared.eventlog.group_locks import MAX_LOCKS, GroupLocks
from shared.eventlog.postgres import PostgresEventStore
from shared.eventlog.store import Appended, Entry
from tests.harness.events.ledger import booked, created


@pytest_asyncio.fixture
async def store(database_url: str) -> AsyncIterator[PostgresEventStore]:
    async with asyncpg.create_pool(database_url, min_size=1, max_size=2) as pool:
        store = PostgresEventStore(pool, database_url)
        yield store
        await store.close()


@pytest_asyncio.fixture
async def locks(database_url: str) -> AsyncIterator[GroupLocks]:
    locks = GroupLocks(database_url)
    yield locks
    await locks.close()


async def test_the_next_one_sees_what_the_last_one_did(
    store: PostgresEventStore, locks: GroupLocks
) -> None:
    group = uuid4()
    first = await locks.take(group, 0)
    assert first is not None
    waiting = asyncio.create_task(locks.take(group, 0))
    new = created(group)
    assert isinstance((await store.append([Entry(group, 0, [new])]))[0], Appended)
    assert not waiting.done()
    first.end()
    second = await waiting
    assert second is not None
    assert [missing.event_id for missing in second.missing] == [new.event_id]
    second.end()


async def test_other_groups_have_turns_of_their_own(locks: GroupLocks) -> None:
    held = [await locks.take(uuid4(), 0) for _ in range(MAX_LOCKS)]
    assert all(lock is not None for lock in held)
    assert await locks.take(uuid4(), 0) is None
    for lock in held:
        assert lock is not None
        lock.end()


async def test_a_holder_that_freezes_loses_its_turn_and_never_holds_the_head(
    store: PostgresEventStore, locks: GroupLocks, database_url: str
) -> None:
    frozen, group = GroupLocks(database_url), uuid4()
    held = await frozen.take(group, 0)
    assert held is not None
    assert isinstance((await store.append([Entry(uuid4(), 0, [booked()])]))[0], Appended)
    assert isinstance((await store.append([Entry(group, 0, [created(group)])]))[0], Appended)
    told = [await locks.take(group, 0) for _ in range(2)]
    assert any(lock is not None for lock in told)
    for lock in (held, *told):
        if lock is not None:
            lock.end()
    await frozen.close()


async def test_without_a_database_there_is_no_turn_and_no_harm(
    database_url: str,
) -> None:
    away = GroupLocks(f"postgresql://nobody@127.0.0.1:{free_ports(1)[0]}/nothing")
    assert [await away.take(uuid4(), 0) for _ in range(MAX_LOCKS + 1)] == [None] * (MAX_LOCKS + 1)
