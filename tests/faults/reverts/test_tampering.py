"""Faults 22 and 24: history changed by SQL is found, where it was; a restored dump goes on."""

from __future__ import annotations

import os
from pathlib import Path

import asyncpg
import pytest

from deploy.local.postgres.binaries import find_binaries
from deploy.local.processes.commands import run_command
from tests.harness.checker.gathering import gather_evidence
from tests.harness.checker.ledger import check_ledger
from tests.harness.checker.verdict import ensure_kept
from tests.harness.servers.private import Databases
from tests.harness.services.cluster_under_test import cluster_at
from tests.harness.services.in_process import command_handlers

BOOKED = 9
ALTERATIONS = {
    "chain_broken: position 5": "UPDATE stored_events SET state = '{}' WHERE notification_id = 5",
    "position_gap: 5 is missing": "DELETE FROM stored_events WHERE notification_id = 5",
    "chain_broken: position 4": """
        UPDATE stored_events SET notification_id = -notification_id
         WHERE notification_id IN (4, 7);
        UPDATE stored_events SET notification_id = 11 + notification_id WHERE notification_id < 0
    """,
    "the head is at 10": """
        INSERT INTO stored_events
        SELECT originator_id, originator_version + 1, topic, state, notification_id + 1,
               gen_random_uuid(), booking_id, metadata, recorded_at, hash
          FROM stored_events WHERE notification_id = 10
    """,
}


@pytest.mark.parametrize("finding", ALTERATIONS)
async def test_what_was_changed_by_sql_is_found(database_url: str, finding: str) -> None:
    async with command_handlers(database_url, count=1) as customers:
        group_id = await customers.create_group(20)
        for _ in range(BOOKED):
            await customers.book(group_id)
    assert list(check_ledger(await gather_evidence(database_url))) == []
    connection = await asyncpg.connect(database_url)
    await connection.execute(ALTERATIONS[finding])
    await connection.close()
    found = [str(one) for one in check_ledger(await gather_evidence(database_url))]
    assert any(finding in one for one in found), found


async def test_followers_and_tokens_go_on_after_a_restore(
    migrated: Databases, amqp_url: str, tmp_path: Path, seed: int
) -> None:
    """Dumped, restored into a new database, served by new processes: nothing hangs on old ids."""
    dump = find_binaries() / "pg_dump"
    name = await migrated.create("template_seatledger")
    dsn = migrated.cluster.dsn_of(name)
    async with cluster_at(dsn, processes=(1, 1, 1)) as before:
        async with before.under_load(seed) as load:
            await load.bookings(10)
        operations = before.customers.history.operations
        env = before.installation.env
    copy = await migrated.create("template0")
    target = migrated.cluster.dsn_of(copy)
    file = tmp_path / "ledger.sql"
    await run(str(dump), "-d", dsn, "-f", str(file), "--no-owner")
    await run(str(dump.with_name("psql")), "-q", "-d", target, "-f", str(file))
    async with cluster_at(target, amqp_url, (1, 1, 1), env["SEATLEDGER_MASTER_KEY"]) as after:
        after.customers.history.operations.extend(operations)
        async with after.under_load(seed) as load:
            await load.bookings(10)
            load.cycles += 1
    ensure_kept(await gather_evidence(target, after.customers.history.operations))


async def run(*command: str) -> None:
    outcome = await run_command(*command, env=dict(os.environ))
    assert outcome.returncode == 0, outcome.reason
