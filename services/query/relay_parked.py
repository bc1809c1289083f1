"""Messages that nobody would take: set aside with the reason, and behind them their group's later
ones, so that the order within the group holds while all other groups go on.
"""

from __future__ import annotations

from uuid import UUID

import asyncpg

from shared.eventlog.election import Term, TermLost
from shared.eventlog.follower import records
from shared.eventlog.record import StoredRecord
from shared.eventlog.statements import statement

PAGE = 100


class ParkedMessages:
    """The table, and which groups are in it."""

    def __init__(self, pool: asyncpg.Pool[asyncpg.Record]) -> None:
        self._pool = pool
        self._first: dict[UUID, int] = {}

    async def load(self) -> list[UUID]:
        """Look at the table again; the groups that are to be tried again."""
        rows = await self._pool.fetch(_sql("parked_groups"))
        self._first = {group_id: position for group_id, position, _ in rows}
        return [group_id for group_id, _, wanted in rows if wanted]

    def first_of(self, group_id: UUID) -> int | None:
        """The position behind which the group waits, or None."""
        return self._first.get(group_id)

    async def park(self, term: Term, record: StoredRecord, reason: str) -> None:
        """Set one aside; TermLost, and nothing written, under an older epoch."""
        written = await self._pool.fetchval(
            _sql("park_message"),
            term.name,
            term.epoch,
            record.position,
            record.group_id,
            record.event_id,
            record.topic,
            reason[:500],
        )
        if written is None:
            raise TermLost(f"{term.name}: epoch {term.epoch} is over")
        self._first.setdefault(record.group_id, record.position)

    async def records_of(self, group_id: UUID) -> list[StoredRecord]:
        """The first few that wait, in order."""
        return records(await self._pool.fetch(_sql("parked_records"), group_id, PAGE))

    async def unpark(self, record: StoredRecord) -> None:
        """It is published, or given up."""
        await self._pool.execute(_sql("unpark_message"), record.position)

    def released(self, group_id: UUID) -> None:
        """Nothing of the group waits any more."""
        self._first.pop(group_id, None)

    async def want_retry(self, position: int | None = None) -> None:
        """Have the relay try again: the group of the event at `position`, or all."""
        await self._pool.execute(_sql("want_retry"), position)


def _sql(name: str) -> str:
    return statement(name, "services.query")
