"""An event store whose append is all or nothing, over any number of groups; and whole histories.

For bulk calls with `delete_all_on_error` and the like: a conflict of one entry leaves none behind.
It has an append connection of its own, so it never delays the appender (decision 0022).
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from shared.eventlog.codec import decode_event
from shared.eventlog.postgres import PostgresEventStore, arguments, read_outcomes
from shared.eventlog.statements import statement
from shared.eventlog.store import BookingHistory, Entry, Outcome


class TogetherStore(PostgresEventStore):
    """Appends entries together: a `Conflict` or `Answered` among the outcomes means none holds."""

    async def append(self, entries: Sequence[Entry], wake_followers: bool = True) -> list[Outcome]:
        """One outcome per entry, in order. Raises as in `EventStore`; calls must not overlap."""
        sql = statement("append_together")
        rows = await self._writer.fetch(sql, *arguments(entries, wake_followers))
        return read_outcomes(rows, len(entries))

    async def find_existing(self, booking_ids: Sequence[UUID]) -> list[UUID]:
        """Those of the bookings that were ever booked, in the order given."""
        rows = await self._fetch(statement("find_existing"), list(booking_ids))
        return [row[0] for row in rows]

    async def find_group(self, group_id: UUID) -> dict[UUID, BookingHistory]:
        """The group's own history and its seat bookings', by booking id, in creation order."""
        found: dict[UUID, BookingHistory] = {}
        for booking_id, topic, state, wrapped_key in await self._fetch(
            statement("find_group"), group_id
        ):
            event = decode_event(topic, state)
            known = found.get(booking_id)
            events = [event] if known is None else [*known.events, event]
            found[booking_id] = BookingHistory(booking_id, group_id, events, wrapped_key)
        return found
