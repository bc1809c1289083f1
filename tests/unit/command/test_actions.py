"""The three graphs: which action leads where, and what it does to the group."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from services.command.rules.commands import (
    ChangeCapacity,
    CreateGroup,
    DeleteBooking,
    RescheduleGroup,
)
from services.command.rules.deletion_errors import NotFinal
from shared.booking_api.errors import (
    CapacityTaken,
    GroupClosed,
    NotFound,
    TooLateToCancel,
    TooManySeatsCancelled,
    ValidationFailed,
    WrongState,
)
from shared.domain.events import (
    BookingDeleted,
    CapacityChanged,
    GroupCancelled,
    GroupCompleted,
    GroupRescheduled,
    SeatBooked,
    SeatCancelled,
    SeatCompleted,
    SeatExpired,
    SeatPaid,
)
from shared.domain.group import evolve
from tests.harness.events.decisions import given
from tests.harness.events.group_commands import APP, act, book_seats, create_group
from tests.harness.events.ledger import NOON

PAYMENT = "group_customer_payment"


@pytest.mark.parametrize(
    ("action", "state"),
    [
        ("cancel_by_customer", "cancelled_by_customer"),
        ("cancel_by_owner", "cancelled_by_owner"),
        ("complete", "completed"),
    ],
)
def test_a_confirmed_seat_ends_once(action: str, state: str) -> None:
    group = create_group()
    seat = book_seats(group.group_id, 2)
    command = act(group.group_id, seat.booking_id, action)
    ended = given(group, seat, command)
    after = ended.group.seats.get(seat.booking_id)
    assert after is not None
    assert after.state == state
    refusal = ended.when(command).refused(WrongState)
    assert refusal.sentence == f"Cannot apply action '{action}' to current state '{state}'"


def test_only_a_completed_seat_stays_taken() -> None:
    group = create_group()
    seat = book_seats(group.group_id, 2)
    state = given(group, seat)
    [done] = state.when(act(group.group_id, seat.booking_id, "complete")).then(SeatCompleted)
    [gone] = state.when(act(group.group_id, seat.booking_id, "cancel_by_owner")).then(SeatCancelled)
    assert (done.current_seats, gone.current_seats) == (2, 0)


def test_some_seats_of_a_booking_are_given_back() -> None:
    group = create_group()
    seat = book_seats(group.group_id, 3)
    cancel = act(group.group_id, seat.booking_id, "cancel_by_customer", seats=1)
    [event] = given(group, seat).when(cancel).then(SeatCancelled)
    assert isinstance(event, SeatCancelled)
    assert (event.seats, event.seats_left, event.current_seats) == (1, 2, 2)
    state = given(group, seat, cancel)
    left = state.group.seats.get(seat.booking_id)
    assert left is not None
    assert (left.state, left.seats) == ("confirmed", 2)
    more = act(group.group_id, seat.booking_id, "cancel_by_customer", seats=3)
    state.when(more).refused(TooManySeatsCancelled)


def test_a_customer_cancels_until_the_deadline_and_an_owner_always() -> None:
    group = create_group(min_cancel_time="1 hour")
    seat = book_seats(group.group_id)
    state = given(group, seat)
    late = state.at(group.about.start - timedelta(minutes=59))
    late.when(act(group.group_id, seat.booking_id, "cancel_by_customer")).refused(TooLateToCancel)
    late.when(act(group.group_id, seat.booking_id, "cancel_by_owner")).then(SeatCancelled)
    state.when(act(group.group_id, seat.booking_id, "cancel_by_customer")).then(SeatCancelled)


def test_a_payment_seat_is_paid_and_then_completed() -> None:
    group = create_group()
    seat = book_seats(group.group_id, graph=PAYMENT)
    pay = act(group.group_id, seat.booking_id, "pay", graph=PAYMENT)
    complete = act(group.group_id, seat.booking_id, "complete", graph=PAYMENT)
    state = given(group, seat)
    state.when(complete).refused(WrongState)
    state.when(pay).then(SeatPaid)
    given(group, seat, pay).when(complete).then(SeatCompleted)


def test_nobody_but_time_times_a_payment_out() -> None:
    group = create_group()
    seat = book_seats(group.group_id, 2, graph=PAYMENT)
    timeout = act(group.group_id, seat.booking_id, "timeout", graph=PAYMENT)
    due = act(group.group_id, seat.booking_id, "timeout", graph=PAYMENT, due=True)
    state = given(group, seat)
    state.when(timeout).refused(WrongState)
    state.when(due).refused(WrongState)
    [event] = state.at(NOON + timedelta(minutes=5)).when(due).then(SeatExpired)
    assert event.current_seats == 0


def test_an_owners_cancel_is_one_event_for_all_seats() -> None:
    group = create_group()
    seats = [book_seats(group.group_id, 2) for _ in range(3)]
    gone = act(group.group_id, seats[0].booking_id, "cancel_by_customer")
    state = given(group, *seats, gone)
    [event] = state.when(act(group.group_id, group.group_id, "cancel")).then(GroupCancelled)
    assert isinstance(event, GroupCancelled)
    assert (event.seat_bookings, event.current_seats) == (2, 0)
    evolve(state.group, event)
    states = [seat.state for _, seat in state.group.seats.items()]
    assert states == ["cancelled_by_customer", "cancelled_by_owner", "cancelled_by_owner"]


def test_completing_a_group_completes_its_seats() -> None:
    group = create_group()
    seat = book_seats(group.group_id, 2)
    state = given(group, seat)
    [event] = state.when(act(group.group_id, group.group_id, "complete")).then(GroupCompleted)
    assert event.current_seats == 2
    evolve(state.group, event)
    after = state.group.seats.get(seat.booking_id)
    assert after is not None
    assert after.state == "completed"


def test_an_action_of_another_graph_is_a_wrong_state() -> None:
    group = create_group()
    seat = book_seats(group.group_id)
    state = given(group, seat)
    state.when(act(group.group_id, seat.booking_id, "cancel")).refused(WrongState)
    state.when(act(group.group_id, group.group_id, "cancel_by_customer")).refused(WrongState)


def test_an_unknown_seat_booking_is_not_found() -> None:
    group = create_group()
    given(group).when(act(group.group_id, APP, "cancel_by_owner")).refused(NotFound)


def whole(group: CreateGroup) -> dict[str, UUID]:
    return {"app_id": APP, "group_id": group.group_id, "booking_id": group.group_id}


def test_capacity_is_not_cut_below_the_taken_seats_unless_asked() -> None:
    group = create_group(max_seats=9)
    state = given(group, book_seats(group.group_id, 5))
    common: dict[str, Any] = whole(group)
    smaller = ChangeCapacity(**common, max_seats=4, when_over="refuse")
    refusal = state.when(smaller).refused(CapacityTaken)
    assert refusal.to_body()["over_by"] == 1
    drain = ChangeCapacity(**common, max_seats=4, when_over="drain")
    [event] = state.when(drain).then(CapacityChanged)
    assert isinstance(event, CapacityChanged)
    assert (event.over_by, event.max_seats, event.current_seats) == (1, 4, 5)
    larger = ChangeCapacity(**common, max_seats=10, when_over="refuse")
    given(group, larger).when(book_seats(group.group_id, 10)).then(SeatBooked)


def test_a_group_is_moved_to_another_time() -> None:
    group = create_group()
    common: dict[str, Any] = whole(group)
    later = RescheduleGroup(
        **common,
        start=group.about.start + timedelta(days=7),
        end=group.about.end + timedelta(days=7),
    )
    given(group).when(later).then(GroupRescheduled)
    given(group).at(later.end).when(later).refused(ValidationFailed)
    given(group, act(group.group_id, group.group_id, "cancel")).when(later).refused(GroupClosed)


def test_only_an_ended_booking_is_deleted_and_then_gone() -> None:
    group = create_group()
    seat = book_seats(group.group_id)
    delete = DeleteBooking(app_id=APP, group_id=group.group_id, booking_id=seat.booking_id)
    given(group, seat).when(delete).refused(NotFinal)
    cancel = act(group.group_id, seat.booking_id, "cancel_by_owner")
    ended = given(group, seat, cancel)
    [event] = ended.when(delete).then(BookingDeleted)
    evolve(ended.group, event)
    ended.when(delete).refused(NotFound)
    ended.when(cancel).refused(NotFound)
