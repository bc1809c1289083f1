"""Groups set aside for an event that could not be applied: listed, and taken back without loss.

A retry applies what the group missed while the checkpoint is held, so the projector goes on behind
it as if nothing had been; an event that still cannot be applied sets the group aside again.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.query.projection.batch import Change, apply_batch, halving
from services.query.projection.decrypt import Poison, open_records, sealed_bookings
from services.query.projection.schema import sql
from shared.domain.events import GroupCreated
from shared.eventlog.codec import UndecodableEvent, decode_event
from shared.eventlog.follower import records
from shared.eventlog.privacy import MasterKey
from shared.runtime.postgres import Connection

CHUNK = 1_000


@dataclass(frozen=True, slots=True)
class ParkedGroup:
    """A group, the event it waits at, why, and how many events wait."""

    group_id: UUID
    position: int
    version: int
    topic: str
    reason: str
    parked_at: datetime
    waiting: int


class NotParked(Exception):
    """The group is not set aside."""


async def parked_groups(connection: Connection) -> list[ParkedGroup]:
    """All of them, the longest waiting first."""
    return [ParkedGroup(*row) for row in await connection.fetch(sql("parked_list"))]


async def parked_of_app(connection: Connection, app_id: UUID, group_ids: Sequence[UUID]) -> int:
    """How many of these groups, set aside at their first event, are the app's: that event says
    so, if it can be read; otherwise the group is nobody's."""
    count = 0
    for row in await connection.fetch(sql("group_apps"), group_ids):
        with suppress(UndecodableEvent):
            event = decode_event(row["topic"], row["state"])
            count += isinstance(event, GroupCreated) and event.app_id == app_id
    return count


async def retry(connection: Connection, master: MasterKey, group_id: UUID) -> Poison | None:
    """Take the group back; answers the event it waits at now, None when it waits no more."""
    retrying = _Retry(connection, group_id)
    async with connection.transaction():
        position = await connection.fetchval(sql("checkpoint_hold"))
        version = await connection.fetchval(sql("parked_take"), group_id)
        if position is None or version is None:
            raise NotParked
        while retrying.poison is None and (
            changes := await _missed(connection, master, group_id, version, position)
        ):
            await halving(retrying.apply, changes)
            version = changes[-1].version
    return retrying.poison


class _Retry:
    """Applies a group's events until one of them is poison."""

    def __init__(self, connection: Connection, group_id: UUID) -> None:
        self.poison: Poison | None = None
        self._connection = connection
        self._group_id = group_id

    async def apply(self, changes: Sequence[Change]) -> None:
        async with self._connection.transaction():
            aside = () if self.poison is None else (self._group_id,)
            poisons = await apply_batch(self._connection, changes, aside)
        self.poison = self.poison or (poisons[0] if poisons else None)


async def _missed(
    connection: Connection, master: MasterKey, group_id: UUID, version: int, position: int
) -> list[Change]:
    rows = await connection.fetch(sql("stream_after"), group_id, version, position, CHUNK)
    stored = records(rows)
    keys = await connection.fetch(sql("booking_keys"), sealed_bookings(stored))
    return open_records(stored, {row[0]: row[1] for row in keys}, master)
