"""The private PostgreSQL: a database a test, and a cluster that survives being killed."""

from __future__ import annotations

import os

import asyncpg
import pytest

from deploy.local.postgres.server import PrivatePostgres
from deploy.local.processes.program import StartFailure


async def test_an_empty_database_has_no_table_of_ours(empty_database_url: str) -> None:
    connection = await asyncpg.connect(empty_database_url)
    tables = await connection.fetchval(
        "SELECT count(*) FROM pg_class WHERE relkind = 'r' AND oid >= 16384"
    )
    await connection.close()
    assert tables == 0


async def test_a_database_is_migrated_and_fresh(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    tables = await connection.fetchval(
        "SELECT count(*) FROM pg_class WHERE relkind = 'r' AND oid >= 16384"
    )
    await connection.close()
    assert tables > 0


async def test_what_was_committed_survives_a_kill(durable_postgres: PrivatePostgres) -> None:
    connection = await asyncpg.connect(durable_postgres.dsn)
    await connection.execute("CREATE TABLE kept AS SELECT 1 AS value")
    connection.terminate()
    process = durable_postgres.program.process
    durable_postgres.kill()
    assert process is not None
    await process.wait()
    await durable_postgres.start()
    connection = await asyncpg.connect(durable_postgres.dsn)
    assert await connection.fetchval("SELECT value FROM kept") == 1
    await connection.close()


async def test_a_pid_file_that_names_another_program_stops_nobody(
    durable_postgres: PrivatePostgres,
) -> None:
    pid_file = durable_postgres.folder / "cluster" / "postmaster.pid"
    left_behind = pid_file.read_text().split("\n", 1)[1]
    await durable_postgres.stop()
    pid_file.write_text(f"{os.getppid()}\n{left_behind}")
    await durable_postgres.start()


async def test_a_second_server_on_the_same_cluster_is_refused(
    durable_postgres: PrivatePostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deploy.local.postgres.leftovers.PATIENCE_SECONDS", 0.1)
    with pytest.raises(StartFailure, match="still runs"):
        await PrivatePostgres(durable_postgres.folder).start()
