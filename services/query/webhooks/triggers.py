"""Which bookings entered which states by an event: one booking, or all that its group moved.

From the log alone, so that it is the same whenever it is asked again.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid5

from services.query.relay.fanout import moved_seats
from services.query.relay.messages_of import group_at
from shared.domain.events import Event, SeatBooked
from shared.domain.lifecycle import moves_seats, state_after
from shared.eventlog.codec import UndecodableEvent, decode_event
from shared.eventlog.record import StoredRecord
from shared.eventlog.statements import statements_of
from shared.runtime.postgres import Pool

sql = statements_of(__package__)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Entered:
    """A booking entered a state."""

    app_id: UUID
    position: int
    event_id: UUID
    booking_id: UUID
    graph: str
    state: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Hook:
    """Whom a webhook belongs to, and what it listens for."""

    webhook_id: UUID
    app_id: UUID
    graph: str
    state: str
    since: int
    resend_after: int | None
    resend_until: int | None

    def hears(self, entered: Entered) -> bool:
        """Whether this is for it, whenever it happened."""
        mine = (self.app_id, self.graph, self.state)
        return mine == (entered.app_id, entered.graph, entered.state)

    def delivery_id(self, entered: Entered) -> UUID:
        """Stable: receivers remove duplicates by it."""
        return uuid5(self.webhook_id, f"{entered.event_id} {entered.booking_id}")


@dataclass(frozen=True, slots=True)
class _Step:
    app_id: UUID
    record: StoredRecord
    event: Event
    booking_id: UUID
    state: str


async def entered_by(
    pool: Pool, owned: Iterable[tuple[StoredRecord, UUID]], apps: frozenset[UUID]
) -> list[Entered]:
    """What the events of these apps' groups did, in the log's order."""
    steps: list[_Step] = []
    for record, app_id in owned:
        if app_id in apps:
            steps += await _steps(pool, record, app_id)
    graphs = await _graphs(pool, steps)
    return [
        Entered(
            *(step.app_id, step.record.position, step.record.event_id, step.booking_id),
            *(graphs[step.booking_id], step.state, step.event.at),
        )
        for step in steps
        if step.booking_id in graphs
    ]


async def _steps(pool: Pool, record: StoredRecord, app_id: UUID) -> list[_Step]:
    """An event that cannot be read is for others to report; nobody hears of it here."""
    try:
        event = decode_event(record.topic, record.state)
        state = state_after(event)
        if state is None:
            return []
        steps = [_Step(app_id, record, event, event.booking_id, state)]
        if moves_seats(event):
            before = await group_at(pool, record.group_id, record.version - 1)
            moved = moved_seats(before, event)
            steps += [_Step(app_id, record, event, booking, now) for booking, _, now in moved]
        return steps
    except UndecodableEvent as error:
        _log.warning("no webhook hears of position %d: %s", record.position, error.reason)
        return []


async def _graphs(pool: Pool, steps: Sequence[_Step]) -> Mapping[UUID, str]:
    """The graph of each booking, out of the event that made it."""
    groups = {s.booking_id for s in steps if s.booking_id == s.record.group_id}
    graphs = dict.fromkeys(groups, "group_owner")
    seats = list({step.booking_id for step in steps} - groups)
    for row in await pool.fetch(sql("webhook_graphs"), seats, SeatBooked.TOPIC) if seats else ():
        made = decode_event(row["topic"], row["state"])
        if isinstance(made, SeatBooked):
            graphs[made.booking_id] = made.graph
    return graphs
