"""Failover: the primary is killed, its synchronous standby promoted; nothing acknowledged is lost.

And the bug that makes the claim void elsewhere: a commit acknowledged though its wait for the
standby was cancelled. Put back, the checker must find the loss.
"""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from shared.eventlog.append_connection import AppendConnection
from shared.migrate import migrate
from tests.harness.checker.gathering import gather_evidence
from tests.harness.checker.verdict import violations
from tests.harness.servers.standby import Pair, synchronous_pair
from tests.harness.services.cluster_under_test import cluster_at
from tests.harness.services.in_process import command_handlers
from tests.harness.waiting import until

UNHEARD_SECONDS = 3.0
PATIENCE = 60.0
CANCEL_WAITS = """
SELECT count(pg_cancel_backend(pid))
  FROM pg_stat_activity
 WHERE wait_event = 'SyncRep'
"""

pytestmark = [pytest.mark.ha, pytest.mark.timeout(600)]


async def test_a_promoted_standby_has_all_that_was_answered(amqp_url: str, seed: int) -> None:
    async with (
        synchronous_pair() as pair,
        cluster_at(pair.dsn, amqp_url) as cluster,
        cluster.under_load(seed, seats=80) as load,
    ):
        await load.bookings(20)
        await pair.kill_primary()
        load.cycles += 1
        await pair.promote()
        load.recovered("bookings on the standby", await load.bookings(10))


async def book_while_waits_are_cancelled(pair: Pair, answer_seconds: float) -> set[str]:
    """The standby is down, a commit waits for it in vain; then the primary dies, when the caller
    has its answer or after so many seconds."""
    await migrate(pair.dsn)
    async with command_handlers(pair.dsn, count=1) as customers:
        group_id = await customers.create_group(20)
        assert (await customers.book(group_id)).outcome == "ok"
        await pair.stop_standby()
        waiting = asyncio.create_task(customers.book(group_id))
        admin = await asyncpg.connect(pair.primary.dsn)
        await until(lambda: admin.fetchval(CANCEL_WAITS), PATIENCE, "a commit that waits")
        admin.terminate()
        await asyncio.wait({waiting}, timeout=answer_seconds)
        await pair.kill_primary()
        await pair.start_standby()
        await pair.promote()
        await waiting
        evidence = await gather_evidence(pair.standby_dsn, customers.history.operations)
    return {violation.invariant for violation in violations(evidence)}


async def test_a_cancelled_wait_for_the_standby_acknowledges_nothing() -> None:
    async with synchronous_pair() as pair:
        assert await book_while_waits_are_cancelled(pair, UNHEARD_SECONDS) == set()


async def test_an_acknowledgement_after_a_cancelled_wait_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def unheard(self: AppendConnection, connection: object, message: object) -> None:
        """The server's warning that the transaction is only here."""

    monkeypatch.setattr(AppendConnection, "_on_log", unheard)
    async with synchronous_pair() as pair:
        assert "acknowledged_lost" in await book_while_waits_are_cancelled(pair, PATIENCE)
