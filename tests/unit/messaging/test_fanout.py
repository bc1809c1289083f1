"""One event for the group, one message for each seat booking that it moved."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from services.query.relay.fanout import seat_messages
from shared.domain.events import (
    Event,
    GroupCancelled,
    GroupCompleted,
    GroupCreated,
    SeatBooked,
    SeatCancelled,
    SeatPaid,
)
from shared.domain.group import Group, fold
from shared.domain.lifecycle import moves_seats
from tests.harness.events.all_events import GROUP_ID, NOON, example, recorded

BOOKED, PAID, TENTATIVE, GONE = (UUID(int=number) for number in (11, 12, 13, 14))
SHARED: dict[str, Any] = {"at": NOON, "current_seats": 1, "max_seats": 9}


def _group() -> Group:
    def seat(booking_id: UUID, graph: Any = "group_customer") -> Event:
        return SeatBooked(
            booking_id=booking_id, graph=graph, seats=2, customer_ref=b"", sealed=b"", **SHARED
        )

    payment = "group_customer_payment"
    return fold(
        GROUP_ID,
        [
            example(GroupCreated),
            seat(BOOKED),
            seat(PAID, payment),
            SeatPaid(booking_id=PAID, **SHARED),
            seat(TENTATIVE, payment),
            seat(GONE),
            SeatCancelled(booking_id=GONE, by="customer", seats=2, **SHARED),
        ],
    )


def _told(event: Event) -> list[tuple[str, str, int]]:
    bodies = [json.loads(each.body) for each in seat_messages(_group(), recorded(event, version=8))]
    return [(body["booking_id"], body["state"], body["part"]) for body in bodies]


def test_a_cancelled_group_cancels_every_live_seat_booking() -> None:
    told = _told(GroupCancelled(booking_id=GROUP_ID, seat_bookings=3, **SHARED))
    assert told == [
        (str(each), "cancelled_by_owner", part)
        for part, each in enumerate((BOOKED, PAID, TENTATIVE), 1)
    ]


def test_a_completed_group_completes_what_ends_with_it() -> None:
    told = _told(GroupCompleted(booking_id=GROUP_ID, seat_bookings=2, **SHARED))
    assert told == [(str(BOOKED), "completed", 1), (str(PAID), "completed", 2)]


def test_the_fold_that_was_handed_in_stays_as_it_was() -> None:
    group = _group()
    list(seat_messages(group, recorded(example(GroupCancelled), version=8)))
    assert (group.version, group.state) == (7, "tentative")


def test_only_events_of_the_whole_group_move_seats() -> None:
    assert moves_seats(example(GroupCancelled)) and moves_seats(example(GroupCompleted))
    assert not moves_seats(example(SeatBooked))
