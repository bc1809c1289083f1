"""No double booking where an owner asked for that: checked against the log, one resource at a time.

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

import asyncpg

from services.command.requests.changes import Reschedule
from services.command.schedule.due_index import catch_up, sql
from services.command.use_cases.call_context import Intent
from services.command.use_cases.existing_bookings import Subject
from shared.booking_api.errors import DoubleBooking
from shared.booking_api.new_groups import NewGroup
from shared.domain.events import GroupCreated

NO_GROUP = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Stay:
    """A time at which a resource is wanted for itself alone, by `group_id` if it exists."""

    resource_id: UUID
    start: datetime
    end: datetime
    group_id: UUID = NO_GROUP

    def meets(self, other: Stay) -> bool:
        """Whether both want the resource at the same moment."""
        same = self.resource_id == other.resource_id
        return same and self.start < other.end and other.start < self.end


class Overlaps:
    """Keeps other groups out while one is being made; at most one of this process at a time."""

    def __init__(self, pool: asyncpg.Pool[asyncpg.Record]) -> None:
        self._pool = pool
        self._turn = asyncio.Lock()

    @asynccontextmanager
    async def kept_out(self, app_id: UUID, *news: object) -> AsyncIterator[None]:
        """DoubleBooking when a resource is taken; inside the block it stays free."""
        stays = [stay for new in news if (stay := stay_of(new)) is not None]
        if not stays:
            yield
            return
        async with self._turn, self._pool.acquire() as connection, connection.transaction():
            for resource_id in sorted({stay.resource_id for stay in stays}):
                await connection.execute(sql("lock_resource"), app_id, resource_id)
            await self._check(app_id, stays)
            yield

    async def _check(self, app_id: UUID, stays: list[Stay]) -> None:
        for number, stay in enumerate(stays):
            if any(stay.meets(earlier) for earlier in stays[:number]):
                raise DoubleBooking
        async with self._pool.acquire() as connection:  # not the one whose transaction stays open
            await catch_up(connection)
            for stay in stays:
                values = (app_id, stay.resource_id, stay.start, stay.end, stay.group_id)
                if await connection.fetchval(sql("overlapping"), *values) is not None:
                    raise DoubleBooking


def moved_stay(subject: Subject, change: Reschedule, intent: Intent) -> Stay | None:
    """Where a group moves to, if it wants its resource for itself alone."""
    created = subject.history.events[0]
    if not isinstance(created, GroupCreated) or created.app_id != intent.app_id:
        return None
    if created.settings.allow_double_bookings is not False:
        return None
    return Stay(created.resource_id, change.start, change.end, created.booking_id)


def stay_of(new: object) -> Stay | None:
    """What is wanted for itself alone, if that was said."""
    if isinstance(new, Stay):
        return new
    if isinstance(new, NewGroup) and new.settings.allow_double_bookings is False:
        return Stay(new.resource_id, new.start, new.end)
    return None
