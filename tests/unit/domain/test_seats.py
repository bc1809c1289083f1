"""Seats and holds: columns that come back as they were, and drafts that read through."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from shared.domain.seats import Holds, Seat, Seats
from tests.harness.events.ledger import NOON

ANNA, BERT = b"a" * 16, b"b" * 16


def held(count: int) -> tuple[Holds, list[UUID]]:
    holds, ids = Holds(), [uuid4() for _ in range(count)]
    for number, booking_id in enumerate(ids):
        holds.add(NOON + timedelta(minutes=number), booking_id)
    return holds, ids


def test_holds_come_back_from_their_columns() -> None:
    holds, ids = held(3)
    again = Holds.of_columns(bytes(holds.untils), bytes(holds.ids), 1)
    assert len(again) == 3
    assert again.first == 1
    assert [again[n] for n in range(3)] == [
        (NOON + timedelta(minutes=n), booking_id) for n, booking_id in enumerate(ids)
    ]
    assert list(again.overdue(NOON + timedelta(hours=1))) == ids[1:]


@pytest.mark.parametrize(("cut", "first"), [(16, 0), (0, 3), (0, -1)])
def test_columns_that_do_not_fit_are_refused(cut: int, first: int) -> None:
    holds, _ = held(2)
    ids = bytes(holds.ids)
    with pytest.raises(ValueError, match="different lengths"):
        Holds.of_columns(bytes(holds.untils), ids[: len(ids) - cut], first)
    assert [Holds.of_columns(bytes(holds.untils), ids, n).first for n in (0, 2)] == [0, 2]


def test_a_draft_of_holds_reads_through_and_is_merged() -> None:
    holds, ids = held(2)
    draft, late = holds.draft(), uuid4()
    draft.add(NOON + timedelta(minutes=9), late)
    assert [draft[n][1] for n in range(3)] == [*ids, late]
    holds.merge(draft)
    assert [holds[n][1] for n in range(3)] == [*ids, late]


def test_a_draft_of_seats_reads_through_and_is_dropped_or_merged() -> None:
    seats, old, new = Seats(), uuid4(), uuid4()
    seats.put(old, Seat("confirmed", 2, ANNA))
    draft = seats.draft()
    draft.put(old, Seat("cancelled_by_customer", 2, ANNA))
    draft.put(new, Seat("confirmed", 1, BERT))
    assert seats.get(old) == Seat("confirmed", 2, ANNA)
    assert seats.get(new) is None
    assert (len(seats), len(draft)) == (1, 2)
    expected = [(old, Seat("cancelled_by_customer", 2, ANNA)), (new, Seat("confirmed", 1, BERT))]
    assert list(draft.items()) == expected
    assert list(draft.of_customer(ANNA)) == expected[:1]
    assert list(draft.of_customer(BERT)) == expected[1:]
    seats.merge(draft)
    assert list(seats.items()) == expected
    assert list(seats.of_customer(BERT)) == expected[1:]


def test_a_draft_has_no_table_and_its_group_has() -> None:
    seats = Seats()
    assert len(seats.table) == 0
    with pytest.raises(ValueError, match="no table"):
        _ = seats.draft().table


def test_a_draft_of_a_draft_sees_both() -> None:
    seats, first, second = Seats(), uuid4(), uuid4()
    draft = seats.draft()
    draft.put(first, Seat("confirmed", 1, ANNA))
    further = draft.draft()
    further.put(second, Seat("confirmed", 1, ANNA))
    assert [booking_id for booking_id, _ in further.items()] == [first, second]
    assert [booking_id for booking_id, _ in further.of_customer(ANNA)] == [first, second]
    assert len(further) == 2
