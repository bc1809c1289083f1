"""Clean-up after an erasure: scrubs read models and kept answers once the key is gone."""

from __future__ import annotations

from uuid import UUID

from shared.eventlog.statements import statement
from shared.runtime.postgres import Executor


async def scrub(executor: Executor, booking_id: UUID, group_id: UUID) -> int:
    """Removes an erased person from every read model and stored answer; how many rows showed them.

    The projector does so too when it comes to the event, but not for a group that is set aside,
    nor in read models of a version that no process writes any more.
    """
    rows: int = await executor.fetchval(statement("scrub_erased"), booking_id, group_id, timeout=30)
    return rows


async def scrub_attendees(
    executor: Executor, booking_id: UUID, group_id: UUID, remaining: str
) -> int:
    """The same for a booking that goes on with its `remaining` attendees, as JSON."""
    rows: int = await executor.fetchval(
        statement("scrub_attendees"), booking_id, group_id, remaining, timeout=30
    )
    return rows
