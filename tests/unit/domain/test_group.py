"""The group's fold, event by event: what each changes, and what a committed draft hands over."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from shared.domain.events import (
    BookingDeleted,
    CapacityChanged,
    Event,
    GroupCancelled,
    GroupCompleted,
    GroupRescheduled,
    SeatBooked,
    SeatCancelled,
    SeatCompleted,
    SeatExpired,
    SeatPaid,
)
from shared.domain.group import Group, evolve, fold
from shared.domain.seats import Seat
from tests.harness.events.ledger import NOON, created

HOLD = timedelta(minutes=5)
LATER = NOON + timedelta(hours=1)
REF = b"c" * 16


def seat_of(group: Group, booking_id: UUID) -> Seat:
    seat = group.seats.get(booking_id)
    assert seat is not None
    return seat


def pays(seats: int = 1, current_seats: int = 1, minutes: int = 0) -> SeatBooked:
    """A seat booking that is held until it is paid."""
    at = NOON + timedelta(minutes=minutes)
    return SeatBooked(
        at=at,
        booking_id=uuid4(),
        current_seats=current_seats,
        max_seats=40,
        graph="group_customer_payment",
        seats=seats,
        customer_ref=REF,
        hold_until=at + HOLD,
        sealed=b"",
    )


def about(booking_id: UUID, current_seats: int = 1) -> dict[str, Any]:
    return {"at": LATER, "booking_id": booking_id, "current_seats": current_seats, "max_seats": 40}


@pytest.fixture
def group() -> Group:
    group_id = uuid4()
    return fold(group_id, [created(group_id).event])


def test_a_draft_changes_nothing_until_it_is_merged(group: Group) -> None:
    first, second = pays(), pays(current_seats=2, minutes=1)
    evolve(group, first)
    draft = group.draft()
    evolve(draft, second)
    assert (len(group.holds), len(draft.holds)) == (1, 2)
    assert group.seats.get(second.booking_id) is None
    group.merge(draft)
    assert list(group.holds.overdue(LATER)) == [first.booking_id, second.booking_id]
    assert [group.holds[0], group.holds[1]] == [
        (first.hold_until, first.booking_id),
        (second.hold_until, second.booking_id),
    ]
    assert seat_of(group, second.booking_id) == Seat("tentative", 1, REF)
    assert (group.version, group.current_seats, group.changed_at) == (3, 2, second.at)


def test_a_merged_draft_forgets_the_holds_that_it_saw_end(group: Group) -> None:
    first, second = pays(), pays(current_seats=2, minutes=1)
    evolve(group, first)
    draft = group.draft()
    evolve(draft, second)
    evolve(draft, SeatPaid(**about(first.booking_id)))
    group.merge(draft)
    assert group.holds.first == 1
    assert list(group.holds.overdue(LATER)) == [second.booking_id]


@pytest.mark.parametrize("ended", [SeatPaid, SeatCompleted])
def test_a_hold_that_ended_is_not_looked_at_again(group: Group, ended: type[Event]) -> None:
    """Only the first ones are skipped: those behind one that lasts may have ended too."""
    holds = [pays(current_seats=n + 1, minutes=n) for n in range(3)]
    for one in holds:
        evolve(group, one)
    evolve(group, ended(**about(holds[1].booking_id)))
    assert group.holds.first == 0
    evolve(group, ended(**about(holds[0].booking_id)))
    assert group.holds.first == 2
    assert list(group.holds.overdue(LATER)) == [holds[2].booking_id]


def test_a_hold_is_overdue_at_its_end_and_not_before(group: Group) -> None:
    seat = pays()
    evolve(group, seat)
    assert seat.hold_until is not None
    assert list(group.holds.overdue(seat.hold_until - timedelta(microseconds=1))) == []
    assert list(group.holds.overdue(seat.hold_until)) == [seat.booking_id]


def test_an_expired_seat_is_unpaid(group: Group) -> None:
    seat = pays(seats=3, current_seats=3)
    evolve(group, seat)
    evolve(group, SeatExpired(**about(seat.booking_id, 0), seats=3))
    assert seat_of(group, seat.booking_id).state == "unpaid"
    assert group.current_seats == 0


@pytest.mark.parametrize("by", ["customer", "owner"])
def test_cancelling_some_seats_keeps_the_others(group: Group, by: str) -> None:
    seat = pays(seats=3, current_seats=3)
    evolve(group, seat)
    some: dict[str, Any] = {"by": by, "seats": 1, "seats_left": 2}
    evolve(group, SeatCancelled(**about(seat.booking_id, 2), **some))
    assert seat_of(group, seat.booking_id)[:2] == ("tentative", 2)
    rest: dict[str, Any] = {"by": by, "seats": 2, "seats_left": 0}
    evolve(group, SeatCancelled(**about(seat.booking_id, 0), **rest))
    assert seat_of(group, seat.booking_id).state == f"cancelled_by_{by}"
    assert group.holds.first == 1


def test_the_group_s_end_moves_the_live_ones_alone(group: Group) -> None:
    paid, unpaid = pays(), pays(current_seats=2)
    for event in (paid, unpaid, SeatPaid(**about(paid.booking_id, 2))):
        evolve(group, event)
    evolve(group, GroupCompleted(**about(group.group_id, 2), seat_bookings=1))
    phases = [group.state]
    assert seat_of(group, paid.booking_id).state == "completed"
    assert seat_of(group, unpaid.booking_id).state == "tentative"
    evolve(group, GroupCancelled(**about(group.group_id, 0), seat_bookings=1))
    assert [*phases, group.state] == ["completed", "cancelled"]
    assert seat_of(group, paid.booking_id).state == "completed"
    assert seat_of(group, unpaid.booking_id).state == "cancelled_by_owner"


def test_it_moves_to_another_time(group: Group) -> None:
    event = GroupRescheduled(**about(group.group_id), start=LATER, end=LATER + HOLD)
    evolve(group, event)
    assert group.created is not None
    assert (group.created.start, group.created.end) == (LATER, LATER + HOLD)
    assert evolve(Group(group.group_id), event).created is None  # whatever a log begins with


def test_its_size_changes_and_nothing_else_of_its_settings(group: Group) -> None:
    before = group.settings
    event = CapacityChanged(
        at=LATER,
        booking_id=group.group_id,
        current_seats=0,
        max_seats=7,
        when_over="refuse",
        over_by=0,
    )
    evolve(group, event)
    assert group.settings.max_seats == 7
    assert group.settings.allow_duplicates == before.allow_duplicates


def test_what_is_deleted_is_hidden_and_kept(group: Group) -> None:
    seat = pays()
    evolve(group, seat)
    evolve(group, BookingDeleted(**about(seat.booking_id)))
    assert seat_of(group, seat.booking_id).deleted
    assert not group.deleted
    evolve(group, BookingDeleted(**about(group.group_id)))
    assert group.deleted


def test_an_event_of_a_seat_that_was_never_booked_is_an_error(group: Group) -> None:
    stranger = uuid4()
    with pytest.raises(ValueError, match=f"has no seat booking {stranger}"):
        evolve(group, SeatPaid(**about(stranger)))
