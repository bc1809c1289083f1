"""Group locks: processes that write to one group take turns, in PostgreSQL's fair lock queue.

A lock only saves conflicts. It is held by a connection of its own, never by the one that appends,
so a holder that freezes delays this group by two seconds and no other group at all (decision 0021).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from uuid import UUID

import asyncpg

from shared.eventlog.codec import UndecodableEvent, decode_event
from shared.eventlog.statements import statement
from shared.eventlog.store import MissingEvent
from shared.runtime.postgres import DATABASE_ERRORS, Connection, let_go

MAX_LOCKS = 4
CONNECT_SECONDS = 2.0
LOCK_SECONDS = 5.0
_SETTINGS = {
    "application_name": "seatledger turns",
    "jit": "off",
    "lock_timeout": "2s",
    "idle_in_transaction_session_timeout": "2s",
}


class GroupLock:
    """A lock on a group, until `end`. `missing`: the readable events that the taker lacked."""

    def __init__(self, locks: GroupLocks, connection: Connection) -> None:
        self._locks = locks
        self._connection = connection
        self.missing: Sequence[MissingEvent] = ()

    def end(self) -> None:
        """Let the next one have it; returns at once."""
        self._locks.give_back(self._connection)


class GroupLocks:
    """At most MAX_LOCKS at a time, each on a connection that is opened when it is first needed."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._idle: list[Connection] = []
        self._taken = 0
        self._ending: set[asyncio.Task[None]] = set()

    async def take(self, group_id: UUID, after: int) -> GroupLock | None:
        """The group's lock, or None when it cannot be had in time: then go on without."""
        if self._taken >= MAX_LOCKS:
            return None
        self._taken += 1
        connection: Connection | None = None
        try:
            async with asyncio.timeout(LOCK_SECONDS):
                connection = self._idle.pop() if self._idle else await self._open()
                lock = GroupLock(self, connection)
                await connection.execute("BEGIN")
                lock.missing = decoded(
                    await connection.fetch(statement("take_group_turn"), group_id, after)
                )
                return lock
        except DATABASE_ERRORS:
            self._drop(connection)
            return None
        except asyncio.CancelledError:
            self._drop(connection)
            raise

    def give_back(self, connection: Connection) -> None:
        """End the transaction, and with it the lock, in the background."""
        task = asyncio.get_running_loop().create_task(self._end(connection))
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)

    async def close(self) -> None:
        if self._ending:
            await asyncio.wait(self._ending)
        for connection in self._idle:
            await let_go(connection)
        self._idle.clear()

    async def _open(self) -> Connection:
        return await asyncpg.connect(self._dsn, timeout=CONNECT_SECONDS, server_settings=_SETTINGS)

    async def _end(self, connection: Connection) -> None:
        try:
            await connection.execute("COMMIT", timeout=CONNECT_SECONDS)
        except DATABASE_ERRORS:
            self._drop(connection)
            return
        self._taken -= 1
        self._idle.append(connection)

    def _drop(self, connection: Connection | None) -> None:
        self._taken -= 1
        if connection is not None:
            connection.terminate()


def decoded(rows: Sequence[asyncpg.Record]) -> list[MissingEvent]:
    """The events up to the first that cannot be read: whoever needs that one reads the stream."""
    missing: list[MissingEvent] = []
    for event_id, version, position, recorded_at, topic, state in rows:
        try:
            event = decode_event(topic, state)
        except UndecodableEvent:
            break
        missing.append(MissingEvent(event_id, event, version, position, recorded_at))
    return missing
