"""Check for double bookings of a resource, where its owner asked for that, against the log.

Only groups that say `allow_double_bookings: false` outright are checked (contract section 4.2). The
resource is locked from the check until the group is durable, over all processes, so of two such
groups at the same time one is refused.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.command.requests.changes import Reschedule
from services.command.schedule.due_index import catch_up, sql
from services.command.use_cases.call_context import CallContext
from services.command.use_cases.existing_bookings import ExistingBooking
from shared.booking_api.errors import DoubleBooking
from shared.booking_api.new_groups import NewGroup
from shared.domain.events import GroupCreated
from shared.runtime.postgres import Pool

NO_GROUP = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Occupancy:
    """A time for which a resource is wanted for itself alone, by `group_id` if it exists."""

    resource_id: UUID
    start: datetime
    end: datetime
    group_id: UUID = NO_GROUP

    def meets(self, other: Occupancy) -> bool:
        """Whether both want the resource at the same moment."""
        same = self.resource_id == other.resource_id
        return same and self.start < other.end and other.start < self.end


class DoubleBookings:
    """Keeps other groups out while one is being made; at most one of this process at a time."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._one_at_a_time = asyncio.Lock()

    @asynccontextmanager
    async def kept_out(self, app_id: UUID, *news: object) -> AsyncIterator[None]:
        """DoubleBooking when a resource is taken; inside the block it stays free."""
        occupancies = [occupancy for new in news if (occupancy := occupancy_of(new)) is not None]
        if not occupancies:
            yield
            return
        async with (
            self._one_at_a_time,
            self._pool.acquire() as connection,
            connection.transaction(),
        ):
            for resource_id in sorted({occupancy.resource_id for occupancy in occupancies}):
                await connection.execute(sql("lock_resource"), app_id, resource_id)
            await self._check(app_id, occupancies)
            yield

    async def _check(self, app_id: UUID, occupancies: list[Occupancy]) -> None:
        for number, occupancy in enumerate(occupancies):
            if any(occupancy.meets(earlier) for earlier in occupancies[:number]):
                raise DoubleBooking
        async with self._pool.acquire() as connection:  # not the one whose transaction stays open
            await catch_up(connection)
            for occupancy in occupancies:
                values = (
                    app_id,
                    occupancy.resource_id,
                    occupancy.start,
                    occupancy.end,
                    occupancy.group_id,
                )
                if await connection.fetchval(sql("overlapping"), *values) is not None:
                    raise DoubleBooking


def moved_occupancy(
    booking: ExistingBooking, change: Reschedule, context: CallContext
) -> Occupancy | None:
    """Where a group moves to, if it wants its resource for itself alone."""
    created = booking.history.events[0]
    if not isinstance(created, GroupCreated) or created.app_id != context.app_id:
        return None
    if created.settings.allow_double_bookings is not False:
        return None
    return Occupancy(created.resource_id, change.start, change.end, created.booking_id)


def occupancy_of(new: object) -> Occupancy | None:
    """What is wanted for itself alone, if that was said."""
    if isinstance(new, Occupancy):
        return new
    if isinstance(new, NewGroup) and new.settings.allow_double_bookings is False:
        return Occupancy(new.about.resource_id, new.about.start, new.about.end)
    return None
