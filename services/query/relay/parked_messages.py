"""Parked messages: what the broker refuses for its content is set aside, with the reason.

Behind it wait the later ones of its group, so that the order within the group holds while all
other groups go on.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.query.relay.broker.publisher import PublishFailed
from shared.eventlog.checkpoint import TermLost
from shared.eventlog.election import Term
from shared.eventlog.follower import records
from shared.eventlog.record import StoredRecord
from shared.eventlog.statements import statement
from shared.runtime.postgres import Pool

PAGE = 100


@dataclass(frozen=True, slots=True)
class ParkedMessage:
    """An event whose messages nobody would take, or that waits behind one of its group."""

    position: int
    group_id: UUID
    event_id: UUID
    topic: str
    reason: str
    retry_wanted: bool
    parked_at: datetime


class NotParked(Exception):
    """No parked message has this position."""


class ParkedMessages:
    """The relay's view of the table: which groups are in it, and since where."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._first: dict[UUID, int] = {}

    async def load(self) -> list[UUID]:
        """Look at the table; the groups that are to be tried again. Only while nothing parks."""
        rows = await self._pool.fetch(_sql("parked_groups"))
        self._first = {group_id: position for group_id, position, _ in rows}
        return [group_id for group_id, _, wanted in rows if wanted]

    async def is_outdated(self) -> bool:
        """Whether an operator has changed the table, so that it is to be loaded again."""
        rows = await self._pool.fetch(_sql("parked_groups"))
        known = {group_id for group_id, _, _ in rows}
        return any(wanted for _, _, wanted in rows) or not known >= self._first.keys()

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


class NothingParked(ParkedMessages):
    """For a relay that sets nothing aside: what it cannot publish holds it up."""

    async def load(self) -> list[UUID]:
        return []

    async def is_outdated(self) -> bool:
        return False

    async def park(self, term: Term, record: StoredRecord, reason: str) -> None:
        raise PublishFailed(f"position {record.position} cannot be published: {reason}")


async def parked_messages(pool: Pool) -> list[ParkedMessage]:
    """The first thousand, in the log's order."""
    return [ParkedMessage(*row) for row in await pool.fetch(_sql("parked_messages"))]


async def retry_parked(pool: Pool) -> None:
    """Have the relay try every parked group again, within seconds."""
    await pool.execute(_sql("want_retry"))


async def give_up_parked(pool: Pool, position: int) -> None:
    """Never publish this one: subscribers see a gap in the group's versions, and then the rest."""
    async with pool.acquire() as connection, connection.transaction():
        group_id = await connection.fetchval(_sql("give_up_message"), position)
        if group_id is None:
            raise NotParked(f"no message is parked at position {position}")
        await connection.execute(_sql("want_retry_of_group"), group_id)


def _sql(name: str) -> str:
    return statement(name, __package__)
