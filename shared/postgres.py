"""Opening connections and closing them: PostgreSQL's refusals become a line for people, and a
server that does not answer keeps nobody from ending."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any, TypeAlias

import asyncpg

from shared.settings import ConfigurationError

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"

CONNECT_SECONDS = 10
CLOSE_SECONDS = 2.0
CLOSING = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)
"""What closing may end with; the work was done before."""
_LOST = (
    ConnectionError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InterfaceError,
)


class DatabaseUnreachable(ConfigurationError):
    """PostgreSQL cannot be used: it is down, refuses us, or was never migrated."""


@asynccontextmanager
async def connected(dsn: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection for one piece of work; DatabaseUnreachable says what to do."""
    connection = await connect(dsn)
    try:
        with explained():
            yield connection
    finally:
        await connection.close(timeout=CONNECT_SECONDS)


@asynccontextmanager
async def pool_of(dsn: str, size: int, least: int = 1, **options: Any) -> AsyncIterator[Pool]:
    """A pool inside the block, of `least` to `size` connections; asyncpg's own would wait without
    end for a server that fell silent."""
    pool = await asyncpg.create_pool(dsn, min_size=least, max_size=size, **options)
    try:
        yield pool
    finally:
        try:
            await asyncio.wait_for(pool.close(), CLOSE_SECONDS)
        except CLOSING:
            pool.terminate()


async def let_go(connection: Connection) -> None:
    """Closes a connection in good order if the server answers, and else at once."""
    with suppress(*CLOSING):  # by then it is gone
        await connection.close(timeout=CLOSE_SECONDS)


async def connect(dsn: str) -> asyncpg.Connection:
    """A connection; DatabaseUnreachable when there is none to be had."""
    try:
        return await asyncpg.connect(dsn, timeout=CONNECT_SECONDS)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, ValueError) as error:
        raise DatabaseUnreachable(
            f"no connection to PostgreSQL ({_reason(error)}): check DATABASE_URL"
        ) from None


@contextmanager
def explained() -> Iterator[None]:
    """Turns what an operator can mend into DatabaseUnreachable."""
    try:
        yield
    except asyncpg.UndefinedTableError:
        raise DatabaseUnreachable(
            "the database has not been migrated: run python -m shared.migrate"
        ) from None
    except asyncpg.InsufficientPrivilegeError as error:
        raise DatabaseUnreachable(f"the database role may not do this: {_reason(error)}") from None
    except _LOST as error:
        raise DatabaseUnreachable(f"the connection was lost ({_reason(error)})") from None


def _reason(error: BaseException) -> str:
    lines = str(error).splitlines()
    return lines[0] if lines else type(error).__name__
