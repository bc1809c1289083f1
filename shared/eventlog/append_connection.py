"""Connection for appends: an answer means durable, no answer means that the outcome is unknown.

A statement is never cancelled and never timed out on the server: past the deadline the socket is
dropped. After any doubt (a dropped socket, a warning at commit, a new connection) a small
synchronous write must commit before anything is acknowledged (decision 0005).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import asyncpg

from shared.eventlog.statements import statement
from shared.eventlog.store import OutcomeUnknown, StoreUnavailable
from shared.runtime.fault_points import reached
from shared.runtime.postgres import CONNECTION_LOST, DATABASE_ERRORS, Connection, let_go

CONNECT_SECONDS = 5.0
APPEND_SECONDS = 10.0
_LOST = (OSError, *CONNECTION_LOST)
_PASSING = (
    asyncpg.InsufficientResourcesError,  # such as a full disk
    asyncpg.OperatorInterventionError,
    asyncpg.TransactionRollbackError,
    asyncpg.ObjectNotInPrerequisiteStateError,
    asyncpg.PostgresSystemError,
    asyncpg.ReadOnlySQLTransactionError,
)
_GROWING = ("mdextend", "mdzeroextend")
"""Where the server makes files longer: past a quota or a limit that is an "internal error"."""


class AppendConnection:
    """One lazily opened connection; calls must not overlap."""

    def __init__(self, dsn: str, append_seconds: float = APPEND_SECONDS) -> None:
        self._dsn = dsn
        self._append_seconds = append_seconds
        self._connection: Connection | None = None
        self._doubtful = False

    async def fetch(self, sql: str, *arguments: object) -> Sequence[asyncpg.Record]:
        """The rows, durable. OutcomeUnknown when it may have happened, StoreUnavailable when not:
        the database is away, or in no state to write.

        Other database errors pass through: the statement failed and wrote nothing.
        """
        connection = await self._ready()
        running = asyncio.ensure_future(connection.fetch(sql, *arguments))
        running.get_loop().call_soon(reached, "during_append")
        try:
            done, _ = await asyncio.wait({running}, timeout=self._append_seconds)
        except asyncio.CancelledError:
            self._drop()
            running.add_done_callback(_forget)
            raise
        if not done:
            self._drop()
            await asyncio.wait({running})
        return self._result(running)

    def _result(self, running: asyncio.Future[Any]) -> Sequence[asyncpg.Record]:
        try:
            rows: Sequence[asyncpg.Record] = running.result()
        except _LOST as error:
            self._drop()
            raise OutcomeUnknown from error
        except asyncpg.PostgresError as error:
            if _is_passing(error):
                raise StoreUnavailable(type(error).__name__) from error
            raise
        if self._doubtful:
            self._drop()
            raise OutcomeUnknown("the server warned while committing")
        return rows

    async def close(self) -> None:
        if self._connection is not None and not self._connection.is_closed():
            await let_go(self._connection)
        self._connection = None

    async def _ready(self) -> Connection:
        if self._connection is None or self._connection.is_closed():
            self._connection = await self._open()
        return self._connection

    async def _open(self) -> Connection:
        try:
            connection = await asyncpg.connect(
                self._dsn,
                timeout=CONNECT_SECONDS,
                server_settings={"application_name": "seatledger append", "jit": "off"},
            )
            self._doubtful = False
            connection.add_log_listener(self._on_log)
            await asyncio.wait_for(connection.execute(statement("barrier")), self._append_seconds)
        except DATABASE_ERRORS as error:
            raise StoreUnavailable(type(error).__name__) from error
        return connection

    def _on_log(self, connection: object, message: asyncpg.PostgresLogMessage) -> None:
        if message.severity_en == "WARNING":
            self._doubtful = True

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
        self._connection = None


def _is_passing(error: asyncpg.PostgresError) -> bool:
    """Whether it says something about the database's state and nothing about what was sent."""
    if isinstance(error, asyncpg.InternalServerError):
        return error.server_source_function in _GROWING
    return isinstance(error, _PASSING)


def _forget(task: asyncio.Future[Any]) -> None:
    if not task.cancelled():
        task.exception()
