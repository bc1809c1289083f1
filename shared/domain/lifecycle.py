"""A booking's states: where it begins, where each event leads it, and what its group's end moves.

Two say the same in their own words, on purpose: the projection with its SQL, which the rebuild
judges by a fold of the domain (deploy/decisions/0007), and the audit's count of seats.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Final, Literal

from shared.domain.events import (
    Event,
    Graph,
    GroupCancelled,
    GroupCompleted,
    GroupCreated,
    SeatBooked,
    SeatCancelled,
    SeatCompleted,
    SeatExpired,
    SeatPaid,
)
from shared.domain.seat_table import SeatState

BookingState = Literal[
    "tentative",
    "confirmed",
    "paid",
    "completed",
    "unpaid",
    "cancelled",
    "cancelled_by_customer",
    "cancelled_by_owner",
]
HOLDING: Final[frozenset[str]] = frozenset({"tentative", "confirmed", "paid", "completed"})
"""States whose seats are taken."""
LIVE: Final[frozenset[str]] = frozenset({"tentative", "confirmed", "paid"})
"""States that can still change."""
COMPLETES_AFTER: Final = timedelta(hours=1)
"""How long after its end a booking completes by itself."""
COMPLETING: Final[frozenset[str]] = frozenset({"confirmed", "paid"})
"""States of the seat bookings that complete with their group."""
_MOVED_BY: Final[Mapping[type[Event], tuple[frozenset[str], SeatState]]] = {
    GroupCancelled: (LIVE, "cancelled_by_owner"),
    GroupCompleted: (COMPLETING, "completed"),
}
_STATES: Final[Mapping[type[Event], BookingState]] = {
    GroupCreated: "tentative",
    SeatPaid: "paid",
    SeatExpired: "unpaid",
    SeatCompleted: "completed",
    GroupCancelled: "cancelled",
    GroupCompleted: "completed",
}


def initial_state(graph: Graph) -> Literal["tentative", "confirmed"]:
    """The state that a booking of this graph begins in."""
    return "confirmed" if graph == "group_customer" else "tentative"


def cancelled_state(event: SeatCancelled) -> SeatState:
    """The state of a seat booking that gave back all its seats."""
    return "cancelled_by_customer" if event.by == "customer" else "cancelled_by_owner"


def state_after(event: Event) -> BookingState | None:
    """The state that the event's own booking entered by it; None when it entered none."""
    if isinstance(event, SeatBooked):
        return initial_state(event.graph)
    if isinstance(event, SeatCancelled):
        return None if event.seats_left else cancelled_state(event)
    return _STATES.get(type(event))


def last_state(events: Iterable[Event]) -> BookingState | None:
    """The state that a booking's own events, in order, lead it to."""
    entered = [state for event in events if (state := state_after(event)) is not None]
    return entered[-1] if entered else None


def moves_seats(event: Event) -> bool:
    """Whether the event is one of the group that moves its seat bookings too."""
    return type(event) in _MOVED_BY


def moved_with_group(state: str | None, event: Event) -> SeatState | None:
    """Where an event of its group leads a seat booking in this state; None: it stays there."""
    moved, to = _MOVED_BY.get(type(event), (frozenset(), None))
    return to if state in moved else None
