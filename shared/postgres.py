"""Opening a connection: the one place that turns PostgreSQL's refusals into a line for people."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import asyncpg

from shared.settings import ConfigurationError

CONNECT_SECONDS = 10
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
