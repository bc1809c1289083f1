"""Faults 13, 20, 21: clocks apart, migrations at once, batches in opposite order: no deadlock."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from itertools import cycle
from uuid import UUID, uuid4

import asyncpg

from services.command.commit.clock import DatabaseClock
from services.query.projection.schema import prepare
from shared.eventlog.postgres import PostgresEventStore
from shared.eventlog.store import Appended, Conflict, Entry
from shared.migrate import migrate
from tests.harness.checker.gathering import gather_evidence
from tests.harness.checker.ledger import check_ledger
from tests.harness.checker.verdict import ensure_kept
from tests.harness.events.ledger import NOON, booked, created
from tests.harness.services.in_process import command_handlers

ROUNDS = 40


async def test_batches_in_opposite_order_never_deadlock(database_url: str) -> None:
    groups = [uuid4() for _ in range(6)]
    async with asyncpg.create_pool(database_url, min_size=1, max_size=1) as pool:
        stores = [PostgresEventStore(pool, database_url) for _ in range(3)]
        await stores[0].append([Entry(group, 0, [created(group)]) for group in groups])
        orders = cycle([groups, groups[::-1]])
        written = await asyncio.gather(*(grow(store, next(orders)) for store in stores))
        for store in stores:
            await store.close()
    evidence = await gather_evidence(database_url)
    assert len(evidence.log) == len(groups) + sum(written)
    assert list(check_ledger(evidence)) == []


async def grow(store: PostgresEventStore, groups: list[UUID]) -> int:
    """Appends to all groups at once, again and again; how many events were appended."""
    versions, appended = dict.fromkeys(groups, 1), 0
    for _ in range(ROUNDS):
        entries = [Entry(group, versions[group], [booked()]) for group in groups]
        for group, outcome in zip(groups, await store.append(entries), strict=True):
            assert isinstance(outcome, Appended | Conflict)
            versions[group] = outcome.version
            appended += isinstance(outcome, Appended)
    return appended


async def test_any_number_of_migrations_may_start_at_once(empty_database_url: str) -> None:
    applied = await asyncio.gather(*(migrate(empty_database_url) for _ in range(4)))
    assert sum(bool(names) for names in applied) == 1
    await asyncio.gather(*(prepare(empty_database_url) for _ in range(4)))


async def test_clocks_an_hour_apart_change_neither_order_nor_safety(database_url: str) -> None:
    async with command_handlers(database_url) as customers:
        hour = timedelta(hours=1)
        for handler, skew in zip(customers.handlers, (hour, -hour), strict=True):
            handler._clock = handler._appender._clock = DatabaseClock(NOON + skew)
        group_id = await customers.create_group(10)
        for _ in range(5):
            await customers.rush(group_id, 6)
        ensure_kept(await gather_evidence(database_url, customers.history.operations))
