"""One leader at a time, and nothing is written under a term that is over."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

import asyncpg
import pytest

from shared.eventlog.checkpoint import TermLost
from shared.eventlog.election import Election, Term
from tests.harness.faults.proxy import Proxy
from tests.harness.services.relays import (
    Ledger,
    assert_published,
    eventually,
    ids_of,
    ledger_at,
    running,
    sell,
    subscriber_at,
)


class Candidate:
    """Leads until told otherwise; `terms` are the ones that it was given."""

    def __init__(self, dsn: str, drain_seconds: float = 0.0) -> None:
        self.election = Election(dsn, "test", drain_seconds)
        self.terms: asyncio.Queue[Term] = asyncio.Queue()
        self.task = asyncio.create_task(self.election.run(self.lead))

    async def lead(self, term: Term) -> None:
        self.terms.put_nowait(term)
        await asyncio.get_running_loop().create_future()

    async def term(self) -> Term:
        return await asyncio.wait_for(self.terms.get(), 15)

    async def stop(self) -> None:
        self.election.stop()
        await asyncio.wait_for(self.task, 15)


@asynccontextmanager
async def candidate(dsn: str) -> AsyncIterator[Candidate]:
    one = Candidate(dsn)
    try:
        yield one
    finally:
        await one.stop()


async def test_the_second_leads_when_the_first_lets_go(database_url: str) -> None:
    async with candidate(database_url) as second_chance:
        first = await second_chance.term()
        assert first.epoch == 1
        async with candidate(database_url) as heir:
            await first.move_checkpoint(7)
            assert heir.terms.empty()
            await second_chance.stop()
            second = await heir.term()
            assert (second.epoch, second.checkpoint) == (2, 7)


async def test_a_leader_whose_session_was_ended_writes_nothing(database_url: str) -> None:
    async with candidate(database_url) as one, candidate(database_url) as other:
        both = {asyncio.create_task(one.term()), asyncio.create_task(other.term())}
        done, waiting = await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        stale = done.pop().result()
        async with asyncpg.create_pool(database_url, min_size=1) as pool:
            await pool.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name = 'seatledger test' AND query NOT LIKE '%try_advisory%'"
            )
            for task in waiting:
                task.cancel()
            with pytest.raises(TermLost):
                await stale.move_checkpoint(99)
            await eventually(lambda: _epoch_is(pool, 2))
            with pytest.raises(TermLost):
                async with pool.acquire() as connection, connection.transaction():
                    await stale.fence(connection)
            sql = "SELECT checkpoint FROM followers WHERE name = 'test'"
            assert await pool.fetchval(sql) == 0


async def _epoch_is(pool: asyncpg.Pool[asyncpg.Record], epoch: int, name: str = "test") -> bool:
    sql = "SELECT epoch FROM followers WHERE name = $1"
    return int(await pool.fetchval(sql, name) or 0) >= epoch


async def test_a_write_under_an_older_epoch_is_refused(database_url: str) -> None:
    async with candidate(database_url) as one, asyncpg.create_pool(database_url) as pool:
        term = await one.term()
        await pool.execute("UPDATE followers SET epoch = epoch + 1")
        with pytest.raises(TermLost):
            await term.move_checkpoint(5)
        with pytest.raises(TermLost):
            await term.report("late")
        row = await pool.fetchrow("SELECT checkpoint, trouble FROM followers")
        assert row is not None and tuple(row) == (0, None)


async def test_a_frozen_leader_is_replaced_and_changes_nothing_when_it_wakes(
    database_url: str, amqp_url: str
) -> None:
    async with ledger_at(database_url) as ledger, subscriber_at(amqp_url) as subscriber:
        frozen = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.harness.services.relay_process", database_url, amqp_url
        )
        try:
            await sell(ledger, groups=2, seats=2)
            await subscriber.until_seen(ids_of(ledger))
            frozen.send_signal(signal.SIGSTOP)
            async with running(ledger.relay(amqp_url)):
                await sell(ledger, groups=2, seats=2)
                await subscriber.until_seen(ids_of(ledger))
                await eventually(lambda: _relayed(ledger))
                frozen.send_signal(signal.SIGCONT)
                await sell(ledger, groups=2, seats=2)
                await subscriber.until_seen(ids_of(ledger))
                await eventually(lambda: _relayed(ledger))
                sql = "SELECT epoch FROM followers WHERE name = 'relay'"
                assert await ledger.pool.fetchval(sql) == 2
        finally:
            frozen.kill()
            await frozen.wait()


async def _relayed(ledger: Ledger) -> bool:
    return await ledger.checkpoint() == len(ledger.events)


async def test_a_leader_that_alone_cannot_reach_the_broker_lets_another_lead(
    database_url: str, amqp_url: str
) -> None:
    async with (
        ledger_at(database_url) as ledger,
        subscriber_at(amqp_url) as subscriber,
        Proxy(amqp_url) as proxy,
    ):
        await proxy.refuse()
        cut_off = ledger.relay(proxy.url, resign_seconds=0.5)
        async with running(cut_off):
            await eventually(lambda: _epoch_is(ledger.pool, 1, "relay"))
            await sell(ledger, groups=2, seats=3)
            async with running(ledger.relay(amqp_url)):
                await subscriber.until_seen(ids_of(ledger))
                await eventually(lambda: _relayed(ledger))
            await proxy.accept()
            await sell(ledger, groups=2, seats=3)
            await eventually(lambda: _relayed(ledger))
        assert_published(ledger, subscriber)


async def test_alone_a_leader_stays_however_long_the_broker_is_away(
    database_url: str, amqp_url: str
) -> None:
    async with ledger_at(database_url) as ledger, Proxy(amqp_url) as proxy:
        await proxy.refuse()
        async with running(ledger.relay(proxy.url, resign_seconds=0)):
            await eventually(lambda: _epoch_is(ledger.pool, 1, "relay"))
            await sell(ledger, groups=1, seats=2)
            reports: set[datetime | None] = set()
            await eventually(lambda: _has_reported(ledger, reports, 4))
            await proxy.accept()
            await eventually(lambda: _relayed(ledger))
            assert not await _epoch_is(ledger.pool, 2, "relay")


async def _has_reported(ledger: Ledger, reports: set[datetime | None], times: int) -> bool:
    """Each failure is reported, with its time."""
    sql = "SELECT updated_at FROM followers WHERE name = 'relay' AND trouble IS NOT NULL"
    reports.add(await ledger.pool.fetchval(sql))
    return len(reports - {None}) >= times
