"""Bookings that an event concerns: its own, or all that were live in its group then."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from shared.subscriber.subscriber import LedgerApi, LedgerEvent

OF_A_SEAT = frozenset({"seat_booked", "seat_paid", "seat_cancelled", "seat_expired"})
OF_A_GROUP = frozenset({"group_cancelled", "group_rescheduled"})
HOLDS_SEATS = frozenset({"tentative", "confirmed", "paid"})


async def concerned(event: LedgerEvent, ledger: LedgerApi) -> Sequence[UUID]:
    """The seat bookings to be told; none for an event that changes nothing for them."""
    if event.name in OF_A_SEAT:
        return [event.booking_id]
    if event.name not in OF_A_GROUP:
        return []
    before = await ledger.of_group(event.group_id, 0, event.position - 1)
    return holding_seats(before or ())


def holding_seats(history: Iterable[LedgerEvent]) -> list[UUID]:
    """Seat bookings that hold seats after these events of their group, in order of booking.

    The ledger tells it exactly: a booking's state today does not say which event led to it.
    """
    states: dict[UUID, str] = {}
    for event in history:
        if event.name == "group_completed":
            done = ("confirmed", "paid")
            states.update({one: "completed" for one, was in states.items() if was in done})
        elif event.booking_id != event.group_id and event.data.get("state"):
            states[event.booking_id] = event.data["state"]
    return [booking_id for booking_id, state in states.items() if state in HOLDS_SEATS]
