"""Index of people in old bookings: adds the hashes by which newer bookings can be searched.

It can be interrupted and resumed: a booking's hashes and the mark that it has them are one write.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

import asyncpg

from shared.booking_api.details import SEALED_BOOKING, SeatDetails, unpack_seat
from shared.domain.events import SeatBooked
from shared.eventlog.codec import UndecodableEvent, decode_event
from shared.eventlog.privacy import MasterKey, Unreadable, attendee_refs, customer_ref
from shared.eventlog.statements import statement
from shared.runtime.postgres import Connection

PAGE = 500
_PACKAGE = "services.audit"


@dataclass(slots=True)
class Indexed:
    """How many bookings can be searched now that could not before, and how many still cannot."""

    bookings: int = 0
    unopened: int = 0


async def index_people(
    connection: Connection, master: MasterKey, tell: Callable[[int], None]
) -> Indexed:
    """All bookings that have no hashes yet."""
    done, after = Indexed(), UUID(int=0)
    while rows := await connection.fetch(
        statement("unindexed_page", _PACKAGE), after, PAGE, timeout=60
    ):
        opened = [(row[0], _opened(row, master)) for row in rows]
        known = [(booking_id, one) for booking_id, one in opened if one is not None]
        done.bookings += await _write(connection, master, known)
        done.unopened += len(opened) - len(known)
        after = rows[-1][0]
        tell(len(rows))
    return done


async def _write(
    connection: Connection, master: MasterKey, known: Sequence[tuple[UUID, SeatDetails]]
) -> int:
    refs = [
        (booking_id, ref)
        for booking_id, details in known
        for ref in attendee_refs(master, details.attendees)
    ]
    rows = await connection.fetch(
        statement("index_people", _PACKAGE),
        [booking_id for booking_id, _ in known],
        [_customer(details, master) for _, details in known],
        [booking_id for booking_id, _ in refs],
        [ref for _, ref in refs],
        timeout=60,
    )
    return len(rows)


def _customer(details: SeatDetails, master: MasterKey) -> bytes:
    return customer_ref(master, "" if details.customer is None else details.customer.email)


def _opened(row: asyncpg.Record, master: MasterKey) -> SeatDetails | None:
    """Whom the booking names; None when it cannot be opened."""
    booking_id, wrapped, topic, state = row
    try:
        event = decode_event(topic or "", state or b"")
        if not isinstance(event, SeatBooked):
            return None
        key = master.unwrap(booking_id, wrapped)
        return unpack_seat(key.open(SEALED_BOOKING, event.sealed))
    except (UndecodableEvent, Unreadable, ValueError):
        return None
