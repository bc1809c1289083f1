"""The messages of an event: its own, then one for each seat booking that it moved.

The seat bookings come from the group's stream itself, read page by page, never from a read model.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from itertools import islice
from uuid import UUID

from services.query.relay.fanout import seat_messages
from shared.amqp.message import Message
from shared.domain.group import Group, evolve
from shared.domain.lifecycle import moves_seats
from shared.eventlog.codec import decode, decode_event
from shared.eventlog.record import StoredRecord
from shared.eventlog.statements import statement
from shared.messaging.cloudevent import render
from shared.runtime.postgres import Pool

PAGE = 500
WAVE = 200


async def waves_of(pool: Pool, record: StoredRecord) -> AsyncIterator[list[Message]]:
    """What may be published side by side, wave after wave; UndecodableEvent."""
    recorded = decode(record)
    yield [render(recorded)]
    if moves_seats(recorded.event):
        before = await group_at(pool, record.group_id, record.version - 1)
        seats = seat_messages(before, recorded)
        while wave := list(islice(seats, WAVE)):
            yield wave


async def group_at(pool: Pool, group_id: UUID, version: int) -> Group:
    """The group as it was at a version, from its stream."""
    group = Group(group_id)
    while group.version < version:
        rows = await pool.fetch(
            statement("relay_stream", __package__), group_id, group.version, version, PAGE
        )
        if not rows:
            raise LookupError(f"group {group_id} has no event {group.version + 1}")
        for _, topic, state in rows:
            evolve(group, decode_event(topic, state))
    return group
