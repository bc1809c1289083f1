"""Holds that are over: each expires once, in its turn, and only where it still holds something."""

from __future__ import annotations

from datetime import timedelta

from services.command.rules.commands import ChangeMeta
from services.command.rules.decide import MAX_EXPIRED_AT_ONCE, overdue
from shared.domain.events import MetaChanged, SeatBooked, SeatExpired
from tests.harness.events.decisions import given
from tests.harness.events.group_commands import APP, DAY, act, book_seats, create_group
from tests.harness.events.ledger import NOON

PAYMENT = "group_customer_payment"
LATER = NOON + timedelta(minutes=10)


def test_a_hold_that_was_paid_meanwhile_does_not_expire() -> None:
    group = create_group()
    first, second = (book_seats(group.group_id, seats, graph=PAYMENT) for seats in (1, 2))
    pay = act(group.group_id, second.booking_id, "pay", graph=PAYMENT)
    booking = book_seats(group.group_id)
    decided = given(group, first, second, pay).at(LATER).when(booking)
    expired, booked = decided.then(SeatExpired, SeatBooked)
    assert (expired.booking_id, expired.current_seats) == (first.booking_id, 2)
    assert booked.current_seats == 3


def test_a_hold_of_a_group_that_has_completed_expires_too() -> None:
    group = create_group()
    hold = book_seats(group.group_id, graph=PAYMENT, hold=3 * DAY)
    complete = act(group.group_id, group.group_id, "complete")
    ended = given(group, hold, complete)
    assert ended.group.state == "completed"
    note = ChangeMeta(app_id=APP, group_id=group.group_id, booking_id=group.group_id, meta={"a": 1})
    ended.at(NOON + 2 * DAY).when(note).then(MetaChanged)
    ended.at(NOON + 3 * DAY).when(note).then(SeatExpired, MetaChanged)


def test_nothing_of_a_cancelled_group_expires() -> None:
    group = create_group()
    hold = book_seats(group.group_id, graph=PAYMENT)
    ended = given(group, hold, act(group.group_id, group.group_id, "cancel"))
    assert overdue(ended.group, LATER) == []


def test_holds_expire_in_the_order_in_which_they_began() -> None:
    group = create_group(max_seats=9)
    holds = [book_seats(group.group_id, seats, graph=PAYMENT) for seats in (1, 2, 3)]
    expired = overdue(given(group, *holds).group, LATER)
    assert [event.booking_id for event in expired] == [hold.booking_id for hold in holds]
    assert [event.current_seats for event in expired] == [5, 3, 0]


def test_no_more_expire_at_once_than_fit_into_an_append() -> None:
    group = create_group(max_seats=2 * MAX_EXPIRED_AT_ONCE)
    holds = (book_seats(group.group_id, graph=PAYMENT) for _ in range(MAX_EXPIRED_AT_ONCE + 5))
    assert len(overdue(given(group, *holds).group, LATER)) == MAX_EXPIRED_AT_ONCE
