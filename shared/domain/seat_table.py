"""A group's committed seat bookings in columns: about 200 bytes each, and saved or loaded as such.

Rows are in the order of booking and never move; `ids` and `refs` hold 16 bytes a row.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from struct import unpack
from typing import Final, Literal, NamedTuple, get_args
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
STATES: Final[tuple[SeatState, ...]] = get_args(SeatState)
"""A state's place here is its code in `marks`: only ever add at the end."""
_CODES: Final = {state: code for code, state in enumerate(STATES)}
_STATE, _COMPLETES, _DELETED, _MAILBOX = 0x0F, 0x10, 0x20, 0x40
REF_BYTES: Final = 16


class Seat(NamedTuple):
    """One seat booking: its state and its number of seats.

    `by_mailbox`: its `customer_ref` is of the mailbox, not of the case-folded address (decision
    0043).
    """

    state: SeatState
    seats: int
    customer_ref: bytes
    auto_complete: bool = True
    deleted: bool = False
    by_mailbox: bool = False


class SeatTable:
    """Seat bookings by id. `put` adds a row or changes one; the customer of a row never changes."""

    __slots__ = ("_by_customer", "_rows", "counts", "ids", "marks", "refs")

    def __init__(self) -> None:
        self.ids = bytearray()
        self.refs = bytearray()
        self.marks = bytearray()
        self.counts = array("I")
        self._rows: dict[bytes, int] = {}
        self._by_customer: dict[bytes, list[int]] | None = None

    @classmethod
    def of_columns(cls, ids: bytes, refs: bytes, marks: bytes, counts: bytes) -> SeatTable:
        """The table that these columns were taken from; ValueError when they do not fit."""
        table = cls()
        table.ids, table.refs, table.marks = bytearray(ids), bytearray(refs), bytearray(marks)
        table.counts.frombytes(counts)
        rows = len(marks)
        if not len(ids) == len(refs) == rows * REF_BYTES or len(table.counts) != rows:
            raise ValueError("columns of different lengths")
        table._rows = dict(zip(unpack("16s" * rows, ids), range(rows), strict=True))
        if len(table._rows) != rows:
            raise ValueError("an id occurs twice")
        return table

    def __len__(self) -> int:
        return len(self.marks)

    def __contains__(self, booking_id: UUID) -> bool:
        return booking_id.bytes in self._rows

    def get(self, booking_id: UUID) -> Seat | None:
        row = self._rows.get(booking_id.bytes)
        return None if row is None else self._seat(row)

    def put(self, booking_id: UUID, seat: Seat) -> None:
        key = booking_id.bytes
        mark = _CODES[seat.state]
        mark |= (_COMPLETES if seat.auto_complete else 0) | (_DELETED if seat.deleted else 0)
        mark |= _MAILBOX if seat.by_mailbox else 0
        row = self._rows.get(key)
        if row is not None:
            self.marks[row] = mark
            self.counts[row] = seat.seats
            return
        self._add(key, seat, mark)

    def items(self) -> Iterator[tuple[UUID, Seat]]:
        """All of them, in the order in which they were booked."""
        for key, row in self._rows.items():
            yield UUID(bytes=key), self._seat(row)

    def of_customer(self, customer_ref: bytes) -> Iterator[tuple[UUID, Seat]]:
        """A customer's seat bookings, without looking at the others'."""
        if self._by_customer is None:
            self._by_customer = {}
            for row in range(len(self.marks)):
                self._by_customer.setdefault(self._ref(row), []).append(row)
        for row in self._by_customer.get(_fixed(customer_ref), ()):
            yield UUID(bytes=bytes(self.ids[row * 16 : row * 16 + 16])), self._seat(row)

    def _add(self, key: bytes, seat: Seat, mark: int) -> None:
        row = self._rows[key] = len(self.marks)
        self.ids += key
        self.refs += _fixed(seat.customer_ref)
        self.marks.append(mark)
        self.counts.append(seat.seats)
        if self._by_customer is not None:
            self._by_customer.setdefault(self._ref(row), []).append(row)

    def _ref(self, row: int) -> bytes:
        return bytes(self.refs[row * REF_BYTES : (row + 1) * REF_BYTES])

    def _seat(self, row: int) -> Seat:
        mark = self.marks[row]
        return Seat(
            STATES[mark & _STATE],
            self.counts[row],
            self._ref(row),
            bool(mark & _COMPLETES),
            bool(mark & _DELETED),
            bool(mark & _MAILBOX),
        )


def _fixed(customer_ref: bytes) -> bytes:
    """16 bytes, as `customer_ref` makes them; what was written otherwise is cut or filled up."""
    return customer_ref[:REF_BYTES].ljust(REF_BYTES, b"\0")
