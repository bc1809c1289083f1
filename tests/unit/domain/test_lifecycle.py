"""A booking's states follow its graph, and its group's end moves exactly what it moves."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, get_args

import pytest

from shared.booking_api.states import GRAPHS
from shared.domain.events import (
    EVENTS,
    Event,
    Graph,
    GroupCancelled,
    GroupCompleted,
    SeatBooked,
    SeatCancelled,
    SeatExpired,
    SeatPaid,
)
from shared.domain.lifecycle import (
    LIVE,
    BookingState,
    initial_state,
    last_state,
    moved_with_group,
    moves_seats,
    state_after,
)
from tests.harness.events.all_events import example


def _example(kind: type[Event], **fields: Any) -> Event:
    return replace(example(kind), **fields)


ENTERED = {state for states in GRAPHS.values() for state in states} - {"error"}


@pytest.mark.parametrize("graph", get_args(Graph))
def test_a_booking_begins_where_its_graph_does(graph: Graph) -> None:
    assert initial_state(graph) == next(iter(GRAPHS[graph]))


def test_every_state_of_the_graphs_has_its_name() -> None:
    assert set(get_args(BookingState)) == ENTERED


@pytest.mark.parametrize("by", ["customer", "owner"])
def test_a_cancel_says_who_cancelled_once_no_seat_is_left(by: str) -> None:
    assert state_after(_example(SeatCancelled, by=by, seats_left=0)) == f"cancelled_by_{by}"
    assert state_after(_example(SeatCancelled, by=by, seats_left=1)) is None


def test_the_last_state_is_the_one_that_was_entered_last() -> None:
    booked = _example(SeatBooked, graph="group_customer_payment")
    assert last_state([]) is None
    assert last_state([booked]) == "tentative"
    assert last_state([booked, example(SeatPaid), _example(SeatCancelled, seats_left=1)]) == "paid"
    assert last_state([booked, example(SeatExpired)]) == "unpaid"


@pytest.mark.parametrize(
    ("event", "moved", "to"),
    [
        (GroupCancelled, LIVE, "cancelled_by_owner"),
        (GroupCompleted, LIVE - {"tentative"}, "completed"),
    ],
)
def test_a_groups_end_moves_what_can_still_change(
    event: type[Event], moved: frozenset[str], to: str
) -> None:
    found = {state: moved_with_group(state, example(event)) for state in ENTERED}
    assert {state: now for state, now in found.items() if now} == dict.fromkeys(moved, to)
    assert moved_with_group(None, example(event)) is None


def test_no_other_event_moves_anothers_seats() -> None:
    assert {one for one in EVENTS if moves_seats(example(one))} == {GroupCancelled, GroupCompleted}
    assert moved_with_group("confirmed", example(SeatBooked)) is None
