"""Seat counter for one group's events, by rules that share no code with the services'.

It reads only the fields that count. Memory: two small values for each seat booking of the group.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, NotRequired

from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_json
from typing_extensions import TypedDict  # the standard one is enough from Python 3.12 on

from shared.domain.upcasts import STEPS, upcast

LIVE: Final = frozenset({"tentative", "confirmed", "paid"})
HOLDING: Final = LIVE | {"completed"}


class Miscount(Exception):
    """An event is not what the events before it make; the message says how."""


class _Settings(TypedDict):
    max_seats: int


class _Counted(TypedDict):
    """The fields that count; an event's others are skipped."""

    booking_id: str
    current_seats: int
    max_seats: int
    settings: NotRequired[_Settings]
    graph: NotRequired[str]
    seats: NotRequired[int]
    seats_left: NotRequired[int]


_validate: Final = TypeAdapter(_Counted).validator.validate_json


class SeatFold:
    """One group: feed it all its events, in order."""

    def __init__(self) -> None:
        self.held = self.max_seats = 0
        self._group_id = ""
        self._seats: dict[str, tuple[str, int]] = {}

    def add(self, topic: bytes, state: bytes) -> None:
        """The next event; Miscount when the seats in it are not what the events make."""
        rule = _RULES.get(topic)
        if rule is None:
            raise Miscount(f"it cannot be read: {topic.decode()} is no event's topic")
        try:
            event = _read(topic, state)
            rule(self, event)
        except ValidationError as error:
            raise Miscount(f"it cannot be read: {_first(error)}") from None
        except (ValueError, KeyError) as error:
            raise Miscount(f"it cannot be read: {error}") from None
        if event["current_seats"] != self.held:
            raise Miscount(
                f"it says that {event['current_seats']} seats are taken; {self.held} are"
            )
        if event["max_seats"] != self.max_seats:
            raise Miscount(f"it says {event['max_seats']} seats in all; {self.max_seats} are")

    def _created(self, event: _Counted) -> None:
        self._group_id, self.max_seats = event["booking_id"], event["settings"]["max_seats"]

    def _booked(self, event: _Counted) -> None:
        state = "confirmed" if event["graph"] == "group_customer" else "tentative"
        self._put(event["booking_id"], state, event["seats"])
        if self.held > self.max_seats:
            raise Miscount(f"it oversells: {self.held} of {self.max_seats} seats are taken")

    def _cancelled(self, event: _Counted) -> None:
        if event["seats_left"]:
            state, _ = self._seat(event["booking_id"])
            self._put(event["booking_id"], state, event["seats_left"])
        else:
            self._move(event["booking_id"], "cancelled")

    def _group_cancelled(self, event: _Counted) -> None:
        self._move_all(LIVE, "cancelled")

    def _group_completed(self, event: _Counted) -> None:
        self._move_all({"confirmed", "paid"}, "completed")

    def _capacity_changed(self, event: _Counted) -> None:
        self.max_seats = event["max_seats"]

    def _paid(self, event: _Counted) -> None:
        self._move(event["booking_id"], "paid")

    def _expired(self, event: _Counted) -> None:
        self._move(event["booking_id"], "unpaid")

    def _completed(self, event: _Counted) -> None:
        self._move(event["booking_id"], "completed")

    def _deleted(self, event: _Counted) -> None:
        if event["booking_id"] != self._group_id:
            self._seat(event["booking_id"])

    def _nothing(self, event: _Counted) -> None:
        """It moves no seat."""

    def _seat(self, booking_id: str) -> tuple[str, int]:
        seat = self._seats.get(booking_id)
        if seat is None:
            raise Miscount(f"the group has no seat booking {booking_id} before it")
        return seat

    def _move(self, booking_id: str, state: str) -> None:
        self._put(booking_id, state, self._seat(booking_id)[1])

    def _move_all(self, states: frozenset[str] | set[str], state: str) -> None:
        for booking_id, (now, seats) in list(self._seats.items()):
            if now in states:
                self._put(booking_id, state, seats)

    def _put(self, booking_id: str, state: str, seats: int) -> None:
        before = self._seats.get(booking_id)
        if before is not None and before[0] in HOLDING:
            self.held -= before[1]
        if state in HOLDING:
            self.held += seats
        self._seats[booking_id] = (state, seats)


def _first(error: ValidationError) -> str:
    """What is wrong, without the value: nobody knows what it is."""
    first = error.errors(include_input=False, include_url=False, include_context=False)[0]
    return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"


def _read(topic: bytes, state: bytes) -> Any:
    fields = upcast(topic.decode(), state) if STEPS else None
    return _validate(state if fields is None else to_json(fields), strict=True)


_RULES: Final[Mapping[bytes, Callable[[SeatFold, Any], None]]] = {
    b"seatledger.group_created": SeatFold._created,
    b"seatledger.seat_booked": SeatFold._booked,
    b"seatledger.seat_cancelled": SeatFold._cancelled,
    b"seatledger.seat_paid": SeatFold._paid,
    b"seatledger.seat_expired": SeatFold._expired,
    b"seatledger.seat_completed": SeatFold._completed,
    b"seatledger.group_cancelled": SeatFold._group_cancelled,
    b"seatledger.group_completed": SeatFold._group_completed,
    b"seatledger.group_rescheduled": SeatFold._nothing,
    b"seatledger.capacity_changed": SeatFold._capacity_changed,
    b"seatledger.meta_changed": SeatFold._nothing,
    b"seatledger.customer_erased": SeatFold._nothing,
    b"seatledger.attendees_erased": SeatFold._nothing,
    b"seatledger.booking_deleted": SeatFold._deleted,
}
