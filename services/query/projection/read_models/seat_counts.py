"""How many seats of a group are taken: one row a group, and how far the group is projected."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple
from uuid import UUID

from services.query.projection.decrypt import OpenedEvent
from services.query.projection.read_models.columns import columns, sql
from shared.runtime.postgres import Connection


class CountRow(NamedTuple):
    """A group's seats after `version`; `before` is the version this batch found."""

    group_id: UUID
    before: int
    version: int
    position: int
    current_seats: int
    max_seats: int


class OutOfOrder(Exception):
    """A group is not projected up to where this batch goes on: the read model is damaged."""


def apply(row: CountRow | None, change: OpenedEvent) -> CountRow:
    """The group's row after one more event: every event carries the count after it."""
    before = change.version - 1 if row is None else row.before
    if row is not None and row.version != change.version - 1:
        raise OutOfOrder(f"version {change.version} follows {row.version}")
    event = change.event
    return CountRow(
        change.group_id,
        before,
        change.version,
        change.position,
        event.current_seats,
        event.max_seats,
    )


async def save(connection: Connection, rows: Mapping[UUID, CountRow]) -> None:
    """Write them; OutOfOrder, to be rolled back, unless every group was at its `before`."""
    written = await connection.fetchval(sql("seat_counts_save"), *columns(rows.values()))
    if written != len(rows):
        raise OutOfOrder(f"{len(rows) - written} groups are not where the log goes on")
