"""The private PostgreSQL: a database a test, and a cluster that survives being killed."""

from __future__ import annotations

import asyncpg

from deploy.local.postgres import PrivatePostgres


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
