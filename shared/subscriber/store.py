"""What a subscriber remembers, in its own database: the effect of an event and its mark are one.

The handler writes on the connection it is given; its transaction also marks the group's version, so
that an event that comes twice has its effect once.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import NamedTuple, TypeAlias
from uuid import UUID

import asyncpg

from shared.eventlog.statements import statement
from shared.subscriber.event import LedgerEvent

STATEMENT_SECONDS = 30.0
Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"


class Progress(NamedTuple):
    """Where it began, and up to where the feed is read."""

    started_after: int
    read_up_to: int


class Seen(NamedTuple):
    """The last event of a group that was handled."""

    version: int
    position: int


class SubscriberStore:
    """The memory of the subscriber `name`; one connection, used by one at a time."""

    def __init__(self, connection: Connection, name: str) -> None:
        self.connection = connection
        self._name = name

    async def prepare(self) -> None:
        """Makes the tables unless they are there."""
        await self.connection.execute(_sql("tables"))

    async def begin(self, after: int) -> None:
        """A new subscriber begins after this position; one that is known stays where it is."""
        await self.connection.execute(_sql("begin"), self._name, after)

    async def progress(self) -> Progress | None:
        row = await self.connection.fetchrow(_sql("progress"), self._name)
        return None if row is None else Progress(*row)

    async def read_up_to(self, position: int) -> None:
        await self.connection.execute(_sql("read"), self._name, position)

    async def seen(self, group_id: UUID) -> Seen | None:
        row = await self.connection.fetchrow(_sql("group"), self._name, group_id)
        return None if row is None else Seen(*row)

    @asynccontextmanager
    async def once(self, event: LedgerEvent) -> AsyncIterator[bool]:
        """A transaction that marks the event; yields whether it is new."""
        async with self.connection.transaction():
            marked = await self.connection.fetchval(
                _sql("mark"), self._name, event.group_id, event.version, event.position
            )
            yield marked is not None
            await self.connection.execute(_sql("recovered"), self._name, event.id)

    async def failed(self, event: LedgerEvent, reason: str) -> int:
        """How often it has failed now."""
        attempts: int = await self.connection.fetchval(
            _sql("failed"), self._name, event.id, event.group_id, event.position, reason
        )
        return attempts

    async def retry_in(self, event: LedgerEvent, seconds: float) -> None:
        await self.connection.execute(_sql("retry"), self._name, event.id, seconds)

    async def give_up(self, event: LedgerEvent) -> None:
        """Its group goes on without it."""
        async with self.connection.transaction():
            await self.connection.execute(
                _sql("mark"), self._name, event.group_id, event.version, event.position
            )
            await self.connection.execute(_sql("retry"), self._name, event.id, None)

    async def failures_before_retry(self, event: LedgerEvent) -> int | None:
        """How often it has failed, when it is too early to try it again."""
        attempts: int | None = await self.connection.fetchval(_sql("waiting"), self._name, event.id)
        return attempts

    async def due(self) -> Sequence[tuple[UUID, int]]:
        """Groups that wait for an event to be tried again, with its position."""
        rows = await self.connection.fetch(_sql("due"), self._name)
        return [(row["group_id"], row["position"]) for row in rows]


@asynccontextmanager
async def subscriber_store(dsn: str, name: str) -> AsyncIterator[SubscriberStore]:
    """On a connection of its own."""
    connection = await asyncpg.connect(
        dsn,
        timeout=10,
        command_timeout=STATEMENT_SECONDS,
        server_settings={"application_name": f"subscriber {name}"[:60]},
    )
    try:
        store = SubscriberStore(connection, name)
        await store.prepare()
        yield store
    finally:
        connection.terminate()


def _sql(name: str) -> str:
    return statement(name, "shared.subscriber")
