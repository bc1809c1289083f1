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
    """One seat booking: its state and its number of seats."""

    state: SeatState
    seats: int
    customer_ref: bytes
    auto_complete: bool = True
    deleted: bool = False


class Holds:
    """Payment holds in the order in which they began, which is the order in which they end."""

    __slots__ = ("_base", "_own", "first")

    def __init__(self, base: Holds | None = None) -> None:
        self._own: list[tuple[datetime, UUID]] = []
        self._base = base
        self.first: int = 0 if base is None else base.first

    def __len__(self) -> int:
        return len(self._own) + (0 if self._base is None else len(self._base))

    def __getitem__(self, index: int) -> tuple[datetime, UUID]:
        if self._base is None:
            return self._own[index]
        inherited = len(self._base)
        return self._base[index] if index < inherited else self._own[index - inherited]

    def add(self, hold_until: datetime, booking_id: UUID) -> None:
        self._own.append((hold_until, booking_id))

    def skip_ended(self, seats: Seats) -> None:
        """Forget the first ones as far as they hold nothing any more."""
        while self.first < len(self):
            seat = seats.get(self[self.first][1])
            if seat is not None and seat.state == "tentative":
                return
            self.first += 1

    def overdue(self, now: datetime) -> Iterator[UUID]:
        """The bookings whose hold ended by `now`; some may have been paid or cancelled since."""
        for index in range(self.first, len(self)):
            hold_until, booking_id = self[index]
            if hold_until > now:
                return
            yield booking_id

    def draft(self) -> Holds:
        return Holds(self)

    def merge(self, draft: Holds) -> None:
        self._own.extend(draft._own)
        self.first = draft.first


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
