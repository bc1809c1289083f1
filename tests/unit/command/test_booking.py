"""Booking seats: what a group sells, and what it refuses."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from services.command.rules.commands import Command, CreateGroup
from shared.booking_api.errors import (
    CustomerLimitReached,
    DuplicateBooking,
    GroupClosed,
    NotFound,
    SoldOut,
    TooEarlyToBook,
    TooLateToBook,
    ValidationFailed,
    WrongState,
)
from shared.domain.events import GroupCreated, SeatBooked, SeatExpired
from shared.domain.group import Group, evolve, fold
from shared.eventlog.privacy import MasterKey, customer_ref, first_rule_ref
from tests.harness.events.decisions import Given, given
from tests.harness.events.group_commands import act, book_seats, create_group
from tests.harness.events.ledger import NOON

DAY = timedelta(days=1)
PAYMENT = "group_customer_payment"
MASTER = MasterKey(b"m" * 32)


def test_an_owner_opens_a_group() -> None:
    command = create_group(max_seats=20)
    [event] = Given(Group(command.group_id)).when(command).then(GroupCreated)
    assert (event.current_seats, event.max_seats) == (0, 20)


def test_a_group_that_has_ended_is_not_opened() -> None:
    command = create_group()
    late = Given(Group(command.group_id), command.about.end)
    late.when(command).refused(ValidationFailed)


def test_a_group_is_opened_once() -> None:
    command = create_group()
    given(command).when(command).refused(WrongState)


def test_a_booking_takes_its_seats() -> None:
    group = create_group(max_seats=20)
    [event] = given(group).when(book_seats(group.group_id, 3)).then(SeatBooked)
    assert isinstance(event, SeatBooked)
    assert (event.current_seats, event.sealed) == (3, b"sealed")


def test_the_last_seats_can_be_booked_and_not_one_more() -> None:
    group = create_group(max_seats=5)
    start = given(group, book_seats(group.group_id, 3))
    start.when(book_seats(group.group_id, 2)).then(SeatBooked)
    refusal = start.when(book_seats(group.group_id, 3)).refused(SoldOut)
    assert refusal.to_body()["seats_left"] == 2


def test_seats_are_booked_all_or_none() -> None:
    group = create_group(max_seats=2)
    given(group).when(book_seats(group.group_id, 3)).refused(SoldOut)


def test_what_is_cancelled_can_be_booked_again() -> None:
    group = create_group(max_seats=1)
    first = book_seats(group.group_id)
    cancel = act(group.group_id, first.booking_id, "cancel_by_customer")
    given(group, first, cancel).when(book_seats(group.group_id)).then(SeatBooked)


@pytest.mark.parametrize("action", ["cancel", "complete"])
def test_an_ended_group_sells_nothing(action: str) -> None:
    group = create_group()
    ended = given(group, act(group.group_id, group.group_id, action))
    ended.when(book_seats(group.group_id)).refused(GroupClosed)


def test_a_group_that_does_not_exist_is_not_found() -> None:
    seats = book_seats(create_group().group_id)
    Given(Group(seats.group_id)).when(seats).refused(NotFound)


def test_another_apps_group_is_not_found() -> None:
    group = create_group()
    given(group).when(book_seats(group.group_id, app_id=group.group_id)).refused(NotFound)


def window(**settings: Any) -> tuple[CreateGroup, Given]:
    group = create_group(**settings)
    return group, given(group)


def test_booking_closes_before_the_start() -> None:
    group, open_group = window(min_booking_time="2 hours")
    closes = group.about.start - timedelta(hours=2)
    open_group.at(closes - timedelta(seconds=1)).when(book_seats(group.group_id)).then(SeatBooked)
    open_group.at(closes).when(book_seats(group.group_id)).refused(TooLateToBook)


def test_booking_opens_before_the_start() -> None:
    group, open_group = window(max_booking_time="5 hours")
    opens = group.about.start - timedelta(hours=5)
    open_group.at(opens - timedelta(seconds=1)).when(book_seats(group.group_id)).refused(
        TooEarlyToBook
    )
    open_group.at(opens).when(book_seats(group.group_id)).then(SeatBooked)


def test_nothing_is_booked_once_the_event_is_over() -> None:
    group, open_group = window()
    open_group.at(group.about.end).when(book_seats(group.group_id)).refused(TooLateToBook)


def test_a_customer_has_a_limit_over_all_bookings() -> None:
    group = create_group(max_seats_per_customer=3)
    two = book_seats(group.group_id, 2, customer_ref=b"anna")
    state = given(group, two)
    state.when(book_seats(group.group_id, 1, customer_ref=b"anna")).then(SeatBooked)
    state.when(book_seats(group.group_id, 2, customer_ref=b"anna")).refused(CustomerLimitReached)
    state.when(book_seats(group.group_id, 2, customer_ref=b"bert")).then(SeatBooked)


def test_a_second_booking_can_be_forbidden() -> None:
    group = create_group(allow_duplicates=False)
    first = book_seats(group.group_id, customer_ref=b"anna")
    state = given(group, first)
    state.when(book_seats(group.group_id, customer_ref=b"anna")).refused(DuplicateBooking)


def payment_seats(group: CreateGroup, seats: int = 1) -> Command:
    return book_seats(group.group_id, seats, graph=PAYMENT)


def test_a_payment_seat_holds_its_place() -> None:
    group = create_group(max_seats=1)
    held = given(group, payment_seats(group))
    held.when(book_seats(group.group_id)).refused(SoldOut)


def test_an_overdue_hold_is_freed_before_seats_are_counted() -> None:
    group = create_group(max_seats=2)
    held = given(group, payment_seats(group), payment_seats(group))
    later = held.at(NOON + timedelta(minutes=5))
    events = later.when(book_seats(group.group_id, 2)).then(SeatExpired, SeatExpired, SeatBooked)
    assert [event.current_seats for event in events] == [1, 0, 2]


def test_a_paid_seat_does_not_expire() -> None:
    group = create_group(max_seats=1)
    seat = payment_seats(group)
    pay = act(group.group_id, seat.booking_id, "pay", graph=PAYMENT)
    paid = given(group, seat, pay).at(NOON + timedelta(minutes=6))
    paid.when(book_seats(group.group_id)).refused(SoldOut)


def test_deciding_changes_nothing() -> None:
    group = create_group(max_seats=2)
    state = given(group, payment_seats(group))
    before = (state.group.version, state.group.current_seats, dict(state.group.seats.items()))
    state.at(NOON + DAY / 2).when(book_seats(group.group_id)).then(SeatExpired, SeatBooked)
    assert (
        state.group.version,
        state.group.current_seats,
        dict(state.group.seats.items()),
    ) == before


def test_a_merged_draft_equals_the_fold() -> None:
    group = create_group(max_seats=9)
    [opened] = Given(Group(group.group_id)).when(group).then(GroupCreated)
    state, happened = given(group).group, [opened]
    draft = state.draft()
    for command in (payment_seats(group), book_seats(group.group_id, 2)):
        for event in Given(draft).when(command).then(SeatBooked):
            happened.append(event)
            evolve(draft, event)
    state.merge(draft)
    whole = fold(group.group_id, happened)
    assert dict(state.seats.items()) == dict(whole.seats.items())
    assert (state.version, state.current_seats) == (whole.version, whole.current_seats)


def given_by_first_rule(form: str, **settings: Any) -> tuple[Any, Any]:
    """A group in which somebody booked by the first rule, which folded their address so."""
    group = create_group(**settings)
    return group, given(
        group, book_seats(group.group_id, customer_ref=first_rule_ref(MASTER, form))
    )


def by_mailbox(email: str) -> dict[str, Any]:
    earlier = None if email.isascii() else first_rule_ref(MASTER, email)
    return {"customer_ref": customer_ref(MASTER, email), "first_rule_ref": earlier}


GROSS, GROSZ = "k.gross@example.org", "k.groß@example.org"


@pytest.mark.parametrize("again", [GROSZ, GROSS, "K.GROSS@example.org"])
def test_seats_of_the_first_rule_are_known_by_it(again: str) -> None:
    """The ASCII twin may be refused in such a group until it ends: nobody can tell them apart."""
    group, state = given_by_first_rule(GROSZ, allow_duplicates=False)
    state.when(book_seats(group.group_id, **by_mailbox(again))).refused(DuplicateBooking)


@pytest.mark.parametrize(("first", "second"), [(GROSS, GROSZ), (GROSZ, GROSS)])
def test_two_people_are_two_in_a_group_of_this_rule(first: str, second: str) -> None:
    group = create_group(allow_duplicates=False, max_seats_per_customer=1)
    state = given(group, book_seats(group.group_id, **by_mailbox(first)))
    state.when(book_seats(group.group_id, **by_mailbox(second))).then(SeatBooked)
    state.when(book_seats(group.group_id, **by_mailbox(first))).refused(DuplicateBooking)


def test_seats_of_both_rules_count_once_each() -> None:
    group, state = given_by_first_rule("renée@example.org", max_seats_per_customer=3)
    two = book_seats(group.group_id, 2, **by_mailbox("renée@example.org"))
    state.when(two).then(SeatBooked)
    one_more = book_seats(group.group_id, 3, **by_mailbox("rene\u0301e@example.org"))
    state.when(one_more).refused(CustomerLimitReached)
