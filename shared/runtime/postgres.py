"""PostgreSQL connections and pools, all with timeouts, and the errors they fail with: what an
operator can mend becomes one line."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any, TypeAlias

import asyncpg
from asyncpg.pool import PoolAcquireContext, PoolConnectionProxy

from shared.runtime.settings import ConfigurationError

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]"
Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"
Executor: TypeAlias = "Pool | Connection"

CONNECT_SECONDS = 10
CLOSE_SECONDS = 2.0
ACQUIRE_SECONDS = 5.0
STATEMENT_SECONDS = 10.0
DATABASE_ERRORS = (
    OSError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)
"""Whatever a statement, a connection or a pool may fail with; a TimeoutError is an OSError."""
CONNECTION_LOST = (
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)
"""What the driver says of a connection that is gone; the socket's own errors are OSErrors."""


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


class CleanConnection(asyncpg.Connection):
    """A connection that is closed when a statement failed on our side of the wire.

    asyncpg prepares without ending the server's implicit transaction: when a parameter cannot be
    encoded, or the time is up before the statement was sent, nothing ends it, and the next one to
    use the connection would find it open (decision 0042).
    """

    __slots__ = ()

    async def _do_execute(self, *arguments: Any, **options: Any) -> Any:
        try:
            return await super()._do_execute(*arguments, **options)  # type: ignore[misc]
        except BaseException as error:
            protocol = self._protocol  # type: ignore[attr-defined]
            # what asyncpg cancels it sees through to its end
            if not (_is_servers(error) or protocol._is_cancelling()):
                self.terminate()
            raise


def _is_servers(error: BaseException) -> bool:
    """Whether the server said it: asyncpg raises one of its error classes for us as well."""
    return isinstance(error, asyncpg.PostgresError) and error.severity is not None


class BoundedPool(asyncpg.Pool):
    """A pool that waits for nothing without end, and whose connections keep their session: nobody
    here leaves anything in one, and resetting it would be a round trip for every statement.

    A statement has STATEMENT_SECONDS unless `command_timeout` says otherwise. By it asyncpg bounds
    the end of a cancelled one too, which a server that fell silent would never confirm.
    """

    def __init__(self, dsn: str, size: int, least: int = 1, **options: Any) -> None:
        options.setdefault("command_timeout", STATEMENT_SECONDS)
        super().__init__(
            dsn,
            min_size=least,
            max_size=size,
            max_queries=50_000,
            max_inactive_connection_lifetime=300.0,
            loop=None,
            reset=_keep_session,
            connection_class=CleanConnection,
            record_class=asyncpg.Record,
            **options,
        )

    def acquire(self, *, timeout: float | None = None) -> PoolAcquireContext[asyncpg.Record]:
        """A connection within `timeout` seconds, given back within as many; or TimeoutError."""
        return super().acquire(timeout=ACQUIRE_SECONDS if timeout is None else timeout)


async def _keep_session(connection: object) -> None:
    """asyncpg has ended an open transaction by now."""


@asynccontextmanager
async def pool_of(dsn: str, size: int, least: int = 1, **options: Any) -> AsyncIterator[Pool]:
    """A pool inside the block, of `least` to `size` connections; asyncpg's own would wait without
    end for a server that fell silent."""
    pool = await BoundedPool(dsn, size, least, **options)
    try:
        yield pool
    finally:
        try:
            await asyncio.wait_for(pool.close(), CLOSE_SECONDS)
        except DATABASE_ERRORS:
            pool.terminate()


async def let_go(connection: Connection) -> None:
    """Closes a connection in good order if the server answers, and else at once."""
    with suppress(*DATABASE_ERRORS):  # by then it is gone
        await connection.close(timeout=CLOSE_SECONDS)


async def connect(dsn: str) -> asyncpg.Connection:
    """A connection; DatabaseUnreachable when there is none to be had."""
    try:
        return await asyncpg.connect(dsn, timeout=CONNECT_SECONDS, connection_class=CleanConnection)
    except (*DATABASE_ERRORS, ValueError) as error:
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
    except (
        ConnectionError,
        TimeoutError,
        asyncpg.OperatorInterventionError,
        *CONNECTION_LOST,
    ) as error:
        raise DatabaseUnreachable(f"the connection was lost ({_reason(error)})") from None


def _reason(error: BaseException) -> str:
    lines = str(error).splitlines()
    return lines[0] if lines else type(error).__name__
