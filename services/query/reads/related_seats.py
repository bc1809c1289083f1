"""Groups and their seat bookings, all of one snapshot of the read models."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import asynccontextmanager
from uuid import UUID

from services.query.projection.read_models import attendees, groups
from shared.booking_api.rendering.includes import Includes
from shared.booking_api.rendering.views import GroupView, SeatView
from shared.eventlog.statements import statements_of
from shared.runtime.postgres import Connection, Pool

sql = statements_of(__package__)


def needs_more(includes: Includes) -> bool:
    """Whether the includes show more rows than the booking's own and its group's."""
    return includes.anywhere("related_bookings")


@asynccontextmanager
async def snapshot(pool: Pool) -> AsyncGenerator[Connection, None]:
    """A connection on which all statements see the same moment."""
    async with (
        pool.acquire() as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        yield connection


async def group_views(connection: Connection, ids: Iterable[UUID]) -> dict[UUID, GroupView]:
    """The groups as they are projected."""
    rows = await connection.fetch(sql("projected_groups"), list(ids))
    return {row["group_id"]: groups.view(groups.row_of(row), row["current_seats"]) for row in rows}


async def related_seats(
    connection: Connection, owners: Mapping[UUID, GroupView]
) -> dict[UUID, list[SeatView]]:
    """The seat bookings of each group, in creation order."""
    seats: dict[UUID, list[SeatView]] = {group_id: [] for group_id in owners}
    for row in await connection.fetch(sql("related_seats"), list(owners)):
        seat = attendees.row_of(row)
        seats[seat.group_id].append(attendees.view(seat, owners[seat.group_id]))
    return seats
