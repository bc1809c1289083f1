"""What is tentative when its group completes gets its end: paid, it completes at once; unpaid, its
hold ends. Until then its group stays."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from services.command.rules.commands import Act, DeleteBooking
from services.command.rules.deletion_errors import SeatsNotFinal
from shared.booking_api.errors import ApiError, NotFound, WrongState
from shared.domain.events import (
    BookingDeleted,
    Event,
    GroupCompleted,
    SeatCompleted,
    SeatExpired,
    SeatPaid,
)
from tests.harness.events.decisions import given
from tests.harness.events.group_commands import APP, DAY, act, book_seats, create_group
from tests.harness.events.ledger import NOON

PAYMENT = "group_customer_payment"
END = NOON + DAY + timedelta(hours=1)
OVER = END + timedelta(hours=1)
HOLD = 3 * DAY
MOMENT = timedelta(microseconds=1)


class Late:
    """A group with one tentative payment seat, two seats of it, and its commands."""

    def __init__(self, group_auto: bool = True, seat_auto: bool = True) -> None:
        self.group = replace(create_group(), auto_complete=group_auto)
        self.group_id = self.group.group_id
        seat = book_seats(self.group_id, 2, graph=PAYMENT, hold=HOLD, auto_complete=seat_auto)
        self.open = given(self.group, seat)
        self.seat_id = seat.booking_id
        self.complete = act(self.group_id, self.group_id, "complete")
        self.completed = given(self.group, seat, self.complete)
        self.delete = DeleteBooking(app_id=APP, group_id=self.group_id, booking_id=self.group_id)

    def seat(self, action: str, due: bool = False) -> Act:
        return act(self.group_id, self.seat_id, action, graph=PAYMENT, due=due)

    def time(self, action: str) -> Act:
        return replace(self.complete, due=True) if action == "group" else self.seat(action, True)


@pytest.mark.parametrize("group_auto", [True, False])
@pytest.mark.parametrize("seat_auto", [True, False])
@pytest.mark.parametrize("now", [NOON, OVER, NOON + HOLD - MOMENT], ids=["early", "over", "last"])
def test_paid_in_a_completed_group_it_completes_in_the_same_commit(
    group_auto: bool, seat_auto: bool, now: datetime
) -> None:
    late = Late(group_auto, seat_auto)
    paid, completed = late.completed.at(now).when(late.seat("pay")).then(SeatPaid, SeatCompleted)
    assert (paid.booking_id, completed.booking_id) == (late.seat_id, late.seat_id)
    assert (paid.current_seats, completed.current_seats) == (2, 2)


PAID: tuple[type[Event], ...] = (SeatPaid,)
BOTH: tuple[type[Event], ...] = (SeatPaid, SeatCompleted)


@pytest.mark.parametrize(
    ("group_auto", "seat_auto", "now", "events"),
    [
        (False, True, OVER - MOMENT, PAID),
        (False, True, OVER, BOTH),
        (False, False, OVER, PAID),  # who says so completes by hand
        (True, True, OVER, PAID),  # the group's own completion takes it along
        (True, False, OVER, PAID),
    ],
)
def test_paid_in_an_open_group_it_completes_only_if_its_own_moment_is_over(
    group_auto: bool, seat_auto: bool, now: datetime, events: tuple[type[Event], ...]
) -> None:
    late = Late(group_auto, seat_auto)
    late.open.at(now).when(late.seat("pay")).then(*events)


def test_a_seat_that_was_paid_in_time_completes_with_its_group() -> None:
    late = Late()
    paid = late.open.then(late.seat("pay"))
    [event] = paid.at(OVER).when(late.time("group")).then(GroupCompleted)
    assert isinstance(event, GroupCompleted)
    assert event.seat_bookings == 1


def test_a_hold_ends_in_a_completed_group_too() -> None:
    late = Late()
    over = late.completed.at(NOON + HOLD)
    over.when(late.seat("timeout", due=True)).then(SeatExpired)
    over.when(late.seat("pay")).refused(WrongState)
    assert over.group.seats.get(late.seat_id) is not None


@pytest.mark.parametrize(
    ("action", "now", "seat_auto", "group_auto"),
    [
        ("group", OVER - MOMENT, True, True),
        ("complete", OVER - MOMENT, True, False),
        ("complete", OVER, True, False),
        ("timeout", NOON + HOLD - MOMENT, True, True),
    ],
)
def test_time_that_comes_too_early_is_refused_and_so_comes_again(
    action: str, now: datetime, seat_auto: bool, group_auto: bool
) -> None:
    late = Late(group_auto, seat_auto)
    late.open.at(now).when(late.time(action)).refused(WrongState)


@pytest.mark.parametrize("action", ["complete", "timeout"])
def test_time_finds_nothing_left_to_do_in_a_booking_that_has_ended(action: str) -> None:
    late = Late()
    late.open.then(late.seat("cancel_by_customer")).at(OVER).when(late.time(action)).then()
    late.completed.at(OVER).when(late.time("group")).then()


def test_a_payment_that_an_earlier_version_took_completes_by_due_work() -> None:
    late = Late()
    paid = late.completed.then(late.seat("pay"), only=SeatPaid)
    paid.at(OVER).when(late.seat("complete", due=True)).then(SeatCompleted)


def test_a_group_is_deleted_once_none_of_its_seats_can_change() -> None:
    late = Late()
    refused: ApiError = late.completed.when(late.delete).refused(SeatsNotFinal)
    assert (refused.status, refused.code) == (422, "seats_not_final")
    assert "; 1 can." in refused.sentence
    late.completed.at(NOON + HOLD).when(late.delete).then(SeatExpired, BookingDeleted)
    for action in ("pay", "cancel_by_customer", "cancel_by_owner"):
        late.completed.then(late.seat(action)).when(late.delete).then(BookingDeleted)
    earlier = late.completed.then(late.seat("pay"), only=SeatPaid)
    earlier.when(late.delete).refused(SeatsNotFinal)


def test_a_group_of_another_app_is_not_found_whatever_its_seats() -> None:
    late = Late()
    late.completed.when(replace(late.delete, app_id=late.group_id)).refused(NotFound)
