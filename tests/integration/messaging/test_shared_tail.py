"""One read for several followers: each gets the whole log in order, whoever is ahead."""

from __future__ import annotations

import asyncio

from services.query.relay.log_tail import SharedTail
from shared.eventlog.follower import BatchPolicy, Follower
from shared.eventlog.record import StoredRecord
from tests.harness.services.relays import PATIENCE, Ledger, ledger_at, sell

Log = Follower[StoredRecord]


async def followed(log: Log, after: int, until: int, slowly: bool = False) -> list[int]:
    """The positions in the order in which they came, up to `until`."""
    seen: list[int] = []
    async for batch in log.follow(after):
        seen += [record.position for record in batch]
        if slowly:
            await asyncio.sleep(0)
        if seen[-1] >= until:
            return seen
    return seen


async def test_whoever_follows_gets_all_of_the_log_in_order(database_url: str) -> None:
    async with ledger_at(database_url) as ledger:
        await sell(ledger, groups=3, seats=10)
        tail = SharedTail(ledger.pool, kept=20)
        log = Follower(tail.read, ledger.wakeup, BatchPolicy(7))
        async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as tasks:
            followers = {
                after: tasks.create_task(followed(log, after, 66, slowly))
                for after, slowly in ((0, False), (1, True), (2, False), (25, True), (33, False))
            }
            late = tasks.create_task(followed(log, 0, 66))
            await sell(ledger, groups=3, seats=10)
        for after, follower in followers.items():
            assert follower.result() == list(range(after + 1, 67))
        assert late.result() == list(range(1, 67))


async def test_the_second_reads_nothing_that_the_first_has_read(database_url: str) -> None:
    async with ledger_at(database_url) as ledger:
        await sell(ledger, groups=2, seats=10)
        log = Follower(SharedTail(ledger.pool).read, ledger.wakeup)
        first = await _first_batch(log)
        await ledger.pool.execute("UPDATE stored_events SET topic = 'changed' WHERE true")
        assert await _first_batch(log) == first


async def _first_batch(log: Log) -> list[object]:
    async for batch in log.follow(0):
        return list(batch)
    raise AssertionError("it ended")


async def test_only_so_much_is_remembered(database_url: str) -> None:
    async with ledger_at(database_url) as ledger:
        await sell(ledger, groups=4, seats=30)
        tail = SharedTail(ledger.pool, kept=40)
        log = Follower(tail.read, ledger.wakeup, BatchPolicy(10))
        assert await followed(log, 0, 124) == list(range(1, 125))
        assert len(tail._recent) <= 40
        assert await _ahead_of(log, ledger) == list(range(1, 125))


async def _ahead_of(log: Log, ledger: Ledger) -> list[int]:
    """Who comes from the beginning once it is forgotten reads it from the log."""
    return await followed(log, 0, len(ledger.events))
