"""What one statement did wrong on our side of the wire is not the next one's trouble."""

from __future__ import annotations

import asyncpg
import pytest

from shared.runtime.postgres import connect, pool_of

FAILING: list[tuple[str, tuple[object, ...]]] = [
    ("SELECT $1::bigint", (2**63,)),
    ("SELECT $1::bigint", ("12",)),
    ("SELECT $1::int", (2**31,)),
    ("SELECT $1::text", ("\udcff",)),
    ("SELECT $1::uuid", ("no uuid",)),
    ("SELECT $1::timestamptz", ("yesterday",)),
    ("SELECT $1::bigint[]", ([1, 2**63],)),
    ("SELECT $1::bigint, $2::bigint", (1,)),
    ("SELECT nothing", ()),
    ("SELECT $1::text::bigint", ("x",)),
    ("SELECT $1::text", ("a\x00b",)),
]


@pytest.mark.parametrize(("statement", "parameters"), FAILING)
async def test_a_failed_statement_leaves_nothing_open(
    database_url: str, statement: str, parameters: tuple[object, ...]
) -> None:
    async with pool_of(database_url, 1) as pool:
        with pytest.raises((asyncpg.InterfaceError, asyncpg.PostgresError)):
            await pool.fetchval(statement, *parameters)
        await _use(pool)


@pytest.mark.parametrize(("statement", "parameters"), FAILING)
async def test_a_failed_statement_ends_its_transaction(
    database_url: str, statement: str, parameters: tuple[object, ...]
) -> None:
    async with pool_of(database_url, 1) as pool:
        with pytest.raises((asyncpg.InterfaceError, asyncpg.PostgresError)):
            async with pool.acquire() as connection, connection.transaction():
                await connection.fetchval(statement, *parameters)
        await _use(pool)


async def test_a_statement_without_time_left_leaves_nothing_open(database_url: str) -> None:
    async with pool_of(database_url, 1) as pool:
        for seconds in (1e-9, 1e-4, 1e-3, 1e-2):
            with pytest.raises(TimeoutError):
                await pool.fetchval("SELECT pg_sleep($1)", 5.0, timeout=seconds)
            await _use(pool)


async def test_a_connection_of_its_own_is_closed_too(database_url: str) -> None:
    connection = await connect(database_url)
    with pytest.raises(asyncpg.DataError):
        await connection.fetchval("SELECT $1::bigint", 2**63)
    assert connection.is_closed()


async def test_a_good_statement_keeps_its_connection(database_url: str) -> None:
    async with pool_of(database_url, 1) as pool:
        first = await pool.fetchval("SELECT pg_backend_pid()")
        with pytest.raises(asyncpg.PostgresError):
            await pool.fetchval("SELECT $1::text::bigint", "x")
        assert await pool.fetchval("SELECT pg_backend_pid()") == first


async def _use(pool: asyncpg.Pool[asyncpg.Record]) -> None:
    """As a list does: its transaction must be the first thing on the connection."""
    async with (
        pool.acquire() as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        assert await connection.fetchval("SELECT $1::bigint", 7) == 7
    async with pool.acquire() as connection:
        await connection.execute("BEGIN; SET TRANSACTION ISOLATION LEVEL SERIALIZABLE; COMMIT")
