"""Catches projected rows up when they are read: the few events since are applied to them.

The same `apply` that the projector uses, so that an answer does not tell who folded it. Nothing
waits for the projection here, and nothing is older than the statement that fetched it.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import asyncpg

from services.query.projection.decrypt import OpenedEvent, Poison, Sealed, open_sealed
from services.query.projection.read_models import attendees, groups
from services.query.projection.read_models.attendees import SeatRow
from services.query.projection.read_models.groups import GroupRow
from shared.booking_api.errors import Parked
from shared.booking_api.rendering.views import GroupView
from shared.eventlog.privacy import MasterKey
from shared.eventlog.statements import statements_of
from shared.runtime.postgres import Connection

sql = statements_of(__package__)

_EVENT_COLUMNS = ("positions", "versions", "topics", "states", "booking_ids")
_log = logging.getLogger(__name__)


@dataclass(slots=True)
class FreshGroup:
    """A group as it is at `version`; `rendered` keeps answers made of it.

    The ledger was asked at `checked_at` (monotonic), when the log's position was `head`.
    """

    row: GroupRow
    version: int
    position: int
    view: GroupView
    head: int = 0
    checked_at: float = 0.0
    rendered: dict[Any, bytes] = field(default_factory=dict)


async def fetch_groups(
    connection: Connection, group_ids: Sequence[UUID], master: MasterKey
) -> dict[UUID, FreshGroup | Parked]:
    """The groups now; Parked where an event cannot be read."""
    rows = await connection.fetch(sql("fresh_groups"), group_ids)
    return {row["asked"]: _group(row, master) for row in rows if row["versions"] is not None}


async def fetch_seats(
    connection: Connection,
    group_by_booking: Mapping[UUID, UUID],
    master: MasterKey,
) -> dict[UUID, SeatRow | Parked]:
    """The seat bookings now; Parked where an event cannot be read."""
    bookings, owners = list(group_by_booking), list(group_by_booking.values())
    rows = await connection.fetch(sql("fresh_seats"), bookings, owners)
    return {row["asked"]: _seat(row, master) for row in rows}


def _group(row: asyncpg.Record, master: MasterKey) -> FreshGroup | Parked:
    group_id, projected = row["asked"], row["projected"] or 0
    folded = groups.row_of(row) if row["group_id"] is not None else None
    try:
        changes = _changes(row, group_id, group_id, master)
        for change in changes:
            if change.version > projected and change.event.booking_id == group_id:
                folded = groups.apply(folded, change)
    except Exception as error:  # a bug in apply: the projector parks the group for it
        return _parked(group_id, error)
    if folded is None:
        return Parked()
    last = changes[-1]
    view = groups.view(folded, last.event.current_seats)
    return FreshGroup(folded, last.version, last.position, view)


def _seat(row: asyncpg.Record, master: MasterKey) -> SeatRow | Parked:
    booking_id, group_id = row["asked"], row["owner"]
    folded = attendees.row_of(row) if row["booking_id"] is not None else None
    try:
        for change in _changes(row, booking_id, group_id, master):
            if change.event.booking_id == booking_id or _moves(folded, change):
                folded = attendees.apply(folded, change)
    except Exception as error:  # as above
        return _parked(group_id, error)
    return Parked() if folded is None else folded


def _moves(row: SeatRow | None, change: OpenedEvent) -> bool:
    """Whether an event of the group concerns the seat booking."""
    return row is not None and attendees.cascade_of(change) is not None


def _parked(group_id: UUID, error: Exception) -> Parked:
    if not isinstance(error, Parked):
        _log.error("group %s cannot be folded: %s", group_id, type(error).__name__)
    return Parked()


def _changes(
    row: asyncpg.Record, booking_id: UUID, group_id: UUID, master: MasterKey
) -> list[OpenedEvent]:
    key = row["wrapped_key"]
    opened = [
        open_sealed(
            Sealed(
                position, group_id, version, topic, state, of, key if of == booking_id else None
            ),
            master,
        )
        for position, version, topic, state, of in zip(
            *(row[column] or () for column in _EVENT_COLUMNS), strict=True
        )
    ]
    if any(isinstance(change, Poison) for change in opened):
        raise Parked
    return [change for change in opened if isinstance(change, OpenedEvent)]
