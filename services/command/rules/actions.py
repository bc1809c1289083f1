"""The actions of the three graphs: what cancelling, paying and completing do to a group.

Contract section 3; which action leads where is data in `shared.booking_api.states`. What time asks
for leads to nothing where nothing is left to do, and is refused where it is too early: then it is
asked again (decision 0011).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, cast

from services.command.rules.booking_windows import cancel_refusal
from services.command.rules.commands import Act
from services.command.rules.event_fields import Decision, event_fields, is_visible
from shared.booking_api.errors import NotFound, TooManySeatsCancelled, WrongState
from shared.booking_api.reading.validation import failed
from shared.booking_api.states import wrong_state
from shared.domain.events import (
    GroupCancelled,
    GroupCompleted,
    SeatCancelled,
    SeatCompleted,
    SeatExpired,
    SeatPaid,
)
from shared.domain.group import Group
from shared.domain.lifecycle import COMPLETES_AFTER, COMPLETING, LIVE
from shared.domain.seats import Seat


def act(group: Group, command: Act, now: datetime) -> Decision:
    if not is_visible(group, command):
        return NotFound("Booking")
    if command.booking_id == group.group_id:
        return _act_on_group(group, command, now)
    seat = group.seats.get(command.booking_id)
    if seat is None or seat.deleted:
        return NotFound("Booking")
    if command.due and seat.state not in LIVE:
        return []
    wrong = wrong_state(command.graph, seat.state, command.action, command.due)
    if wrong is not None:
        return wrong
    return _SEAT_ACTIONS[command.action](group, command, seat, now)


def _act_on_group(group: Group, command: Act, now: datetime) -> Decision:
    if command.due and (group.state != "tentative" or not _completes_by_itself(group)):
        return []
    wrong = wrong_state("group_owner", group.state, command.action)
    if wrong is not None:
        return wrong
    common = event_fields(group, command, now)
    seats = [seat for _, seat in group.seats.items()]
    if command.action == "cancel":
        live = sum(seat.state in LIVE for seat in seats)
        common["current_seats"] = sum(s.seats for s in seats if s.state == "completed")
        return [GroupCancelled(**common, seat_bookings=live, sealed=command.sealed)]
    if command.due and not _is_over(group, now):
        return WrongState(command.action, group.state)
    completing = sum(seat.state in COMPLETING for seat in seats)
    return [GroupCompleted(**common, seat_bookings=completing)]


def _is_over(group: Group, now: datetime) -> bool:
    """Whether the moment has come at which bookings complete by themselves."""
    return group.created is not None and now >= group.created.end + COMPLETES_AFTER


def _cancel_seat(group: Group, command: Act, seat: Seat, now: datetime) -> Decision:
    by = "customer" if command.action == "cancel_by_customer" else "owner"
    too_late = cancel_refusal(group, now) if by == "customer" else None
    if too_late is not None:
        return too_late
    given_back = seat.seats if command.seats is None else command.seats
    if given_back > seat.seats:
        return TooManySeatsCancelled(given_back, seat.seats)
    left = seat.seats - given_back
    if _names(command, left) > left:
        return failed(
            f"{command.action}.attendees",
            f"must name who stays, at most {left}: so many seats are left",
            "attendees_exceed_seats",
        )
    if command.new_addresses:
        return failed(
            f"{command.action}.attendees",
            "must have no address that the booking did not name before",
            "new_attendee_address",
        )
    return [
        SeatCancelled(
            **event_fields(group, command, now, -given_back),
            by=cast(Any, by),
            seats=given_back,
            seats_left=left,
            sealed=command.sealed,
        )
    ]


def _names(command: Act, left: int) -> int:
    """How many people would be named for the seats that are left."""
    if command.attendees is not None:
        return command.attendees
    return command.named_before if left else 0


def _pay(group: Group, command: Act, seat: Seat, now: datetime) -> Decision:
    common = event_fields(group, command, now)
    paid = SeatPaid(**common, sealed=command.sealed)
    return [paid, SeatCompleted(**common)] if _is_late(group, seat, now) else [paid]


def _is_late(group: Group, seat: Seat, now: datetime) -> bool:
    """Whether no moment is left at which the seat booking would complete once it is paid: its
    group has completed without it, or its own moment is over."""
    if group.state == "completed":
        return True
    return seat.auto_complete and not _completes_by_itself(group) and _is_over(group, now)


def _completes_by_itself(group: Group) -> bool:
    return group.created is not None and group.created.auto_complete


def _expire(group: Group, command: Act, seat: Seat, now: datetime) -> Decision:
    if command.booking_id not in group.holds.overdue(now):
        return WrongState(command.action, seat.state)
    return [SeatExpired(**event_fields(group, command, now, -seat.seats), seats=seat.seats)]


def _complete_seat(group: Group, command: Act, seat: Seat, now: datetime) -> Decision:
    if command.due and not _is_over(group, now):
        return WrongState(command.action, seat.state)
    return [SeatCompleted(**event_fields(group, command, now))]


_SEAT_ACTIONS: dict[str, Callable[[Group, Act, Seat, datetime], Decision]] = {
    "cancel_by_customer": _cancel_seat,
    "cancel_by_owner": _cancel_seat,
    "pay": _pay,
    "timeout": _expire,
    "complete": _complete_seat,
}
