"""`?as_of=`: a booking as it was at a time or position, folded from the log when it is asked for.

The same `apply` as for the present. What has been erased since stays erased: its key is gone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from services.query.projection.decrypt import OpenedEvent, Poison, open_records, sealed_bookings
from services.query.projection.read_models import attendees, groups
from services.query.projection.read_models.attendees import SeatRow
from services.query.projection.read_models.groups import GroupRow
from shared.booking_api.errors import NotFound, Parked, ValidationFailed
from shared.booking_api.reading.parameters import moment_in, whole_number
from shared.booking_api.reading.timestamps import Reading, UnreadableTimestamp
from shared.booking_api.rendering.views import GroupView
from shared.eventlog.codec import UndecodableEvent, decode_event
from shared.eventlog.follower import records
from shared.eventlog.privacy import MasterKey
from shared.eventlog.statements import statements_of
from shared.runtime.postgres import Connection

sql = statements_of(__package__)
projection_sql = statements_of("services.query.projection")

CHUNK = 1_000


@dataclass(frozen=True, slots=True)
class PointInTime:
    """What `as_of` names: a position of the log, or a time."""

    position: int | None = None
    time: datetime | None = None


@dataclass(slots=True)
class GroupAsOf:
    """A group and its seat bookings, as far as events were applied."""

    group: GroupRow | None = None
    seats: dict[UUID, SeatRow] = field(default_factory=dict)

    def apply(self, change: OpenedEvent) -> None:
        booking_id = change.event.booking_id
        if booking_id != change.group_id:
            self.seats[booking_id] = attendees.apply(self.seats.get(booking_id), change)
            return
        self.group = groups.apply(self.group, change)
        if attendees.cascade_of(change) is not None:
            self.seats = {one: attendees.apply(seat, change) for one, seat in self.seats.items()}


def read_as_of(text: str, reading: Reading) -> PointInTime:
    """A position, or a moment as the request writes moments; ValidationFailed otherwise."""
    position = whole_number(text)
    if position is not None:
        return PointInTime(position=position)
    try:
        return PointInTime(time=moment_in(text, reading))
    except UnreadableTimestamp as error:
        message = f"must be a position, or a time: {error}."
        raise ValidationFailed({"as_of": [message]}, "invalid_as_of") from None


async def group_as_of(
    connection: Connection,
    master: MasterKey,
    group_id: UUID,
    point: PointInTime,
    bookings: Sequence[UUID] | None,
) -> tuple[GroupView, dict[UUID, SeatRow]]:
    """The group then, and its seat bookings: those of `bookings`, or (None) all of them.

    NotFound when the group was not there yet, Parked when an event cannot be read.
    """
    state, version = GroupAsOf(), 0
    wanted = None if bookings is None else [group_id, *bookings]
    while changes := await _changes(connection, master, group_id, version, point, wanted):
        for change in changes:
            state.apply(change)
        version = changes[-1].version
    if state.group is None:
        raise NotFound
    return groups.view(state.group, await _count(connection, group_id, point)), state.seats


async def _changes(
    connection: Connection,
    master: MasterKey,
    group_id: UUID,
    version: int,
    point: PointInTime,
    wanted: Sequence[UUID] | None,
) -> list[OpenedEvent]:
    rows = await connection.fetch(
        sql("events_as_of"), group_id, version, point.position, point.time, wanted, CHUNK
    )
    stored = records(rows)
    keys = await connection.fetch(projection_sql("booking_keys"), sealed_bookings(stored))
    changes = open_records(stored, {row[0]: row[1] for row in keys}, master)
    if any(isinstance(change, Poison) for change in changes):
        raise Parked
    return [change for change in changes if isinstance(change, OpenedEvent)]


async def _count(connection: Connection, group_id: UUID, point: PointInTime) -> int:
    row = await connection.fetchrow(sql("count_as_of"), group_id, point.position, point.time)
    if row is None:
        raise NotFound
    try:
        return decode_event(row["topic"], row["state"]).current_seats
    except UndecodableEvent:
        raise Parked from None
