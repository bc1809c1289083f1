"""A group's seat bookings as its state keeps them: small, without personal data."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

from shared.domain.seat_table import REF_BYTES, Seat, SeatState, SeatTable

__all__ = ["REF_BYTES", "Holds", "Seat", "SeatState", "SeatTable", "Seats"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Holds:
    """Payment holds in the order in which they began, which is the order in which they end."""

    __slots__ = ("_base", "first", "ids", "untils")

    def __init__(self, base: Holds | None = None) -> None:
        self.untils = array("q")
        self.ids = bytearray()
        self._base = base
        self.first: int = 0 if base is None else base.first

    @classmethod
    def of_columns(cls, untils: bytes, ids: bytes, first: int) -> Holds:
        """The holds that these columns were taken from; ValueError when they do not fit."""
        holds = cls()
        holds.untils.frombytes(untils)
        holds.ids, holds.first = bytearray(ids), first
        if len(ids) != 16 * len(holds.untils) or not 0 <= first <= len(holds.untils):
            raise ValueError("columns of different lengths")
        return holds

    def __len__(self) -> int:
        return len(self.untils) + (0 if self._base is None else len(self._base))

    def __getitem__(self, index: int) -> tuple[datetime, UUID]:
        if self._base is not None:
            if index < len(self._base):
                return self._base[index]
            index -= len(self._base)
        until = _EPOCH + self.untils[index] * _MICROSECOND
        return until, UUID(bytes=bytes(self.ids[index * 16 : index * 16 + 16]))

    def add(self, hold_until: datetime, booking_id: UUID) -> None:
        self.untils.append((hold_until - _EPOCH) // _MICROSECOND)
        self.ids += booking_id.bytes

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
        self.untils.extend(draft.untils)
        self.ids += draft.ids
        self.first = draft.first


class Seats:
    """Seat bookings by id, with changes that can be dropped: `draft()` reads through to this one.

    A draft is merged once its events are committed, and thrown away when they are not.
    """

    __slots__ = ("_base", "_changes", "_table")

    def __init__(self, table: SeatTable | None = None, base: Seats | None = None) -> None:
        self._table = SeatTable() if table is None and base is None else table
        self._changes: dict[UUID, Seat] = {}
        self._base = base

    @property
    def table(self) -> SeatTable:
        """The columns; only a group that is no draft has them."""
        if self._table is None:
            raise ValueError("a draft has no table")
        return self._table

    def get(self, booking_id: UUID) -> Seat | None:
        if self._base is None:
            return self.table.get(booking_id)
        seat = self._changes.get(booking_id)
        return self._base.get(booking_id) if seat is None else seat

    def put(self, booking_id: UUID, seat: Seat) -> None:
        if self._table is not None:
            self._table.put(booking_id, seat)
        else:
            self._changes[booking_id] = seat

    def items(self) -> Iterator[tuple[UUID, Seat]]:
        """All of them, in the order in which they were booked."""
        if self._base is None:
            yield from self.table.items()
            return
        for booking_id, seat in self._base.items():
            yield booking_id, self._changes.get(booking_id, seat)
        for booking_id, seat in self._changes.items():
            if self._base.get(booking_id) is None:
                yield booking_id, seat

    def of_customer(self, customer_ref: bytes) -> Iterator[tuple[UUID, Seat]]:
        """A customer's seat bookings, at no cost for the others'."""
        if self._base is None:
            yield from self.table.of_customer(customer_ref)
            return
        for booking_id, seat in self._base.of_customer(customer_ref):
            yield booking_id, self._changes.get(booking_id, seat)
        for booking_id, seat in self._changes.items():
            if seat.customer_ref == customer_ref and self._base.get(booking_id) is None:
                yield booking_id, seat

    def draft(self) -> Seats:
        return Seats(base=self)

    def merge(self, draft: Seats) -> None:
        for booking_id, seat in draft._changes.items():
            self.put(booking_id, seat)

    def __len__(self) -> int:
        if self._base is None:
            return len(self.table)
        new = sum(self._base.get(booking_id) is None for booking_id in self._changes)
        return len(self._base) + new
