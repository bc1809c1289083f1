"""A group's seat bookings as its state keeps them: small, without personal data."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Literal, NamedTuple
from uuid import UUID

SeatState = Literal[
    "tentative",
    "confirmed",
    "paid",
    "completed",
    "unpaid",
    "cancelled_by_customer",
    "cancelled_by_owner",
]
HOLDING: frozenset[str] = frozenset({"tentative", "confirmed", "paid", "completed"})
"""States whose seats are taken."""
LIVE: frozenset[str] = frozenset({"tentative", "confirmed", "paid"})
"""States that can still change."""


class Seat(NamedTuple):
    """One seat booking: its state and its number of seats; `hold_until` only while tentative."""

    state: SeatState
    seats: int
    customer_ref: bytes
    auto_complete: bool = True
    hold_until: datetime | None = None
    deleted: bool = False


class Seats:
    """Seat bookings by id, with changes that can be dropped: `draft()` reads through to this one.

    A draft is merged once its events are committed, and thrown away when they are not.
    """

    __slots__ = ("_base", "_own")

    def __init__(self, own: dict[UUID, Seat] | None = None, base: Seats | None = None) -> None:
        self._own: dict[UUID, Seat] = {} if own is None else own
        self._base = base

    def get(self, booking_id: UUID) -> Seat | None:
        seat = self._own.get(booking_id)
        return self._base.get(booking_id) if seat is None and self._base is not None else seat

    def put(self, booking_id: UUID, seat: Seat) -> None:
        self._own[booking_id] = seat

    def items(self) -> Iterator[tuple[UUID, Seat]]:
        """All of them, in the order in which they were booked."""
        if self._base is None:
            yield from self._own.items()
            return
        for booking_id, seat in self._base.items():
            yield booking_id, self._own.get(booking_id, seat)
        for booking_id, seat in self._own.items():
            if self._base.get(booking_id) is None:
                yield booking_id, seat

    def draft(self) -> Seats:
        return Seats(base=self)

    def merge(self, draft: Seats) -> None:
        self._own.update(draft._own)

    def __len__(self) -> int:
        if self._base is None:
            return len(self._own)
        return sum(1 for _ in self.items())
