"""The auditor's count of seats against the services' own fold: the same for whatever events."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.audit.verify.seat_fold import Miscount, SeatFold
from shared.domain.events import (
    EVENTS,
    CapacityChanged,
    Event,
    GroupCancelled,
    GroupCompleted,
    GroupCreated,
    GroupRescheduled,
    GroupSettings,
    SeatBooked,
    SeatCancelled,
    SeatPaid,
)
from shared.domain.group import Group, evolve
from shared.domain.lifecycle import HOLDING
from shared.eventlog.codec import encode_event
from tests.harness.events.all_events import example

GROUP = UUID(int=1)
BOOKINGS = [GROUP, UUID(int=2), UUID(int=3)]
MOVING: list[type[Event]] = [SeatBooked, SeatPaid, SeatCancelled, GroupCompleted, GroupCancelled]
ROOM = 1_000
"""No group of these tests is ever full."""


@st.composite
def histories(draw: st.DrawFn) -> list[Event]:
    """Events of a group in any order, sense or not, after its creation."""
    kinds = draw(st.lists(st.sampled_from([*EVENTS, *MOVING, *MOVING]), max_size=25))
    return [an_event(draw, kind) for kind in (GroupCreated, *kinds)]


def an_event(draw: st.DrawFn, kind: Any) -> Event:
    seats = st.integers(1, 5)
    fields: dict[type[Event], dict[str, Any]] = {
        GroupCreated: {"settings": GroupSettings(max_seats=ROOM), "booking_id": GROUP},
        SeatBooked: {
            "seats": draw(seats),
            "graph": draw(st.sampled_from(["group_customer", "group_customer_payment"])),
        },
        SeatCancelled: {"seats_left": draw(st.integers(0, 2))},
        CapacityChanged: {"max_seats": ROOM + draw(seats)},
    }
    booking = {"booking_id": draw(st.sampled_from(BOOKINGS))}
    return varied(example(kind), **(booking | fields.get(kind, {})))


def varied(event: Event, **fields: Any) -> Event:
    return replace(event, **fields)


def told(group: Group, event: Event) -> Event:
    """The event with the counts that the services' fold makes; ValueError when there are none."""
    evolve(group, event)
    held = sum(seat.seats for _, seat in group.seats.items() if seat.state in HOLDING)
    return replace(event, current_seats=held, max_seats=group.settings.max_seats)


def add(fold: SeatFold, event: Event) -> None:
    fold.add(event.TOPIC.encode(), encode_event(event))


@settings(max_examples=400, deadline=None)
@given(histories())
def test_it_counts_as_the_services_do(history: list[Event]) -> None:
    group, fold = Group(GROUP), SeatFold()
    for event in history:
        try:
            counted = told(group, event)
        except ValueError:
            with pytest.raises(Miscount, match="no seat booking"):
                add(fold, event)
            continue
        add(fold, counted)
        assert (fold.held, fold.max_seats) == (counted.current_seats, counted.max_seats)


@settings(deadline=None)
@given(histories(), st.sampled_from(["current_seats", "max_seats"]), st.sampled_from([-1, 1]))
def test_it_notices_one_seat_more_or_less(history: list[Event], name: str, wrong: int) -> None:
    group, fold = Group(GROUP), SeatFold()
    for event in history:
        with suppress(ValueError):
            add(fold, told(group, event))
    last = told(group, example(GroupRescheduled))
    with pytest.raises(Miscount, match="seats"):
        add(fold, varied(last, **{name: getattr(last, name) + wrong}))


def test_what_ended_with_its_group_stays_taken() -> None:
    group, fold = Group(GROUP), SeatFold()
    to_pay = varied(example(SeatBooked), booking_id=BOOKINGS[1], graph="group_customer_payment")
    paid = varied(example(SeatPaid), booking_id=BOOKINGS[1])
    awaited = varied(to_pay, booking_id=BOOKINGS[2], seats=4)
    created = varied(example(GroupCreated), booking_id=GROUP)
    for event in (created, to_pay, paid, awaited, example(GroupCompleted)):
        add(fold, told(group, event))
    assert fold.held == 6
    add(fold, told(group, example(GroupCancelled)))
    assert fold.held == 2


def test_it_notices_the_seat_that_is_one_too_many() -> None:
    group, fold = Group(GROUP), SeatFold()
    full = GroupSettings(max_seats=2)
    add(fold, told(group, varied(example(GroupCreated), settings=full)))
    booked = varied(example(SeatBooked), seats=2, booking_id=BOOKINGS[1])
    add(fold, told(group, booked))
    with pytest.raises(Miscount, match="it oversells: 3 of 2"):
        add(fold, told(group, varied(booked, seats=1, booking_id=BOOKINGS[2])))


@pytest.mark.parametrize(
    ("topic", "state", "why"),
    [
        (b"seatledger.seat_sold", b"{}", "no event's topic"),
        (b"seatledger.seat_booked", b"{", "cannot be read"),
        (b"seatledger.seat_booked", b"[]", "cannot be read"),
        (b"seatledger.seat_booked", b'{"booking_id":"b","current_seats":1,"max_seats":1}', "graph"),
        (
            b"seatledger.seat_paid",
            b'{"booking_id":"b","current_seats":"1","max_seats":1}',
            "current_seats",
        ),
    ],
)
def test_it_names_what_it_cannot_read(topic: bytes, state: bytes, why: str) -> None:
    with pytest.raises(Miscount, match=why):
        SeatFold().add(topic, state)
