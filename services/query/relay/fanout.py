"""Fan-out of one group event into a message per seat booking that it moved, from the log.

The group's fold before the event and after it differ in exactly the seat bookings that the event
moved, whatever the rule is; their order is the order in which they were booked.
"""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from shared.amqp.message import Message
from shared.domain.events import Event
from shared.domain.group import Group, evolve
from shared.domain.lifecycle import LIVE
from shared.domain.seats import Seat, SeatState
from shared.eventlog.record import RecordedEvent
from shared.messaging.cloudevent import SOURCE, render_seat


def moved_seats(before: Group, event: Event) -> Iterator[tuple[UUID, Seat, SeatState]]:
    """The seat bookings that the event moved, as they were, and where to."""
    live = [(booking_id, seat) for booking_id, seat in before.seats.items() if seat.state in LIVE]
    after = evolve(before.draft(), event)
    for booking_id, seat in live:
        now = after.seats.get(booking_id)
        if now is not None and now.state != seat.state:
            yield booking_id, seat, now.state


def seat_messages(
    before: Group, recorded: RecordedEvent, source: str = SOURCE
) -> Iterator[Message]:
    """One message per seat booking that the event moved; `before` is the group up to it."""
    for part, (booking_id, seat, state) in enumerate(moved_seats(before, recorded.event), 1):
        yield render_seat(recorded, part, booking_id, seat, state, source)
