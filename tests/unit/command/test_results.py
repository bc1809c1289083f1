"""Limits hold for what a change leads to: attendees for seats, meta for its bounds."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from services.command.rules.commands import Act, BookSeats, ChangeMeta, CreateGroup
from services.command.rules.decide import decide
from services.command.rules.event_fields import Decision, Outdated
from shared.booking_api.errors import TooManySeatsCancelled, ValidationFailed
from shared.booking_api.reading.fields import MAX_META_BYTES, MAX_META_KEYS, MetaSize
from shared.domain.events import MetaChanged, SeatCancelled
from shared.domain.group import Group, evolve
from shared.eventlog.snapshot import HASH_BYTES, decode_snapshot, encode_snapshot, freeze
from tests.harness.events.decisions import given
from tests.harness.events.group_commands import APP, act, book_seats, create_group
from tests.harness.events.ledger import NOON

CREATE: CreateGroup = create_group()
SEATS: BookSeats = book_seats(CREATE.group_id, 3)
BOOKING = SEATS.booking_id


def booked() -> Group:
    """A group with one booking of three seats."""
    return given(CREATE, SEATS).group


def cancel(seats: int | None, attendees: int | None, named_before: int, **more: Any) -> Act:
    return act(
        CREATE.group_id,
        BOOKING,
        "cancel_by_customer",
        seats=seats,
        attendees=attendees,
        named_before=named_before,
        **more,
    )


def refused(decision: Decision) -> str | None:
    return decision.code if isinstance(decision, ValidationFailed) else None


@pytest.mark.parametrize("seats", [1, 2, 3])
@pytest.mark.parametrize("named", [None, 0, 1, 2, 3])
@pytest.mark.parametrize("before", [0, 1, 2, 3])
def test_there_are_never_more_attendees_than_seats(
    seats: int, named: int | None, before: int
) -> None:
    left = 3 - seats
    decision = decide(booked(), cancel(seats, named, before), NOON)
    stay = named if named is not None else (before if left else 0)
    if stay > left:
        assert refused(decision) == "attendees_exceed_seats"
        assert isinstance(decision, ValidationFailed)
        assert list(decision.errors) == ["cancel_by_customer.attendees"]
        assert str(left) in decision.errors["cancel_by_customer.attendees"][0]
    else:
        assert isinstance(decision, list) and isinstance(decision[0], SeatCancelled)
        assert decision[0].seats_left == left


def test_a_whole_cancel_asks_nobody_who_stays() -> None:
    assert isinstance(decide(booked(), cancel(None, None, 3), NOON), list)
    assert isinstance(decide(booked(), cancel(4, None, 3), NOON), TooManySeatsCancelled)


def test_who_stays_has_no_address_that_nobody_could_be_found_by() -> None:
    decision = decide(booked(), cancel(1, 1, 1, new_addresses=1), NOON)
    assert refused(decision) == "new_attendee_address"


def meta_of_group(meta: dict[str, Any], size: int = 0) -> ChangeMeta:
    filled = {**meta, **({"filled": "x" * size} if size else {})}
    return ChangeMeta(app_id=APP, group_id=CREATE.group_id, booking_id=CREATE.group_id, meta=filled)


def after(group: Group, *commands: ChangeMeta) -> Group:
    for command in commands:
        decision = decide(group, command, NOON)
        assert isinstance(decision, list)
        for event in decision:
            evolve(group, event)
    return group


def keys(first: int, count: int, value: object = 1) -> dict[str, Any]:
    return {f"k{number}": value for number in range(first, first + count)}


def test_a_groups_meta_stays_within_its_keys() -> None:
    full = after(booked(), meta_of_group(keys(0, 60)), meta_of_group(keys(60, 40)))
    assert refused(decide(full, meta_of_group(keys(100, 1)), NOON)) == "meta_too_large"
    assert isinstance(decide(full, meta_of_group(keys(0, 100, 2)), NOON), list)
    swapped = after(full, meta_of_group({**keys(0, 1, None), **keys(100, 1)}))
    assert swapped.created is not None
    assert set(swapped.created.meta) == {f"k{number}" for number in range(1, 101)}


def test_a_groups_meta_stays_within_its_bytes() -> None:
    half = after(booked(), meta_of_group({"a": "x" * (MAX_META_BYTES // 2)}))
    too_much = meta_of_group({"b": "x" * (MAX_META_BYTES // 2)})
    assert refused(decide(half, too_much, NOON)) == "meta_too_large"
    assert isinstance(decide(after(half, meta_of_group({"a": None})), too_much, NOON), list)


@pytest.mark.parametrize("changes", [keys(0, 1, None), keys(0, 50, None), {"k0": ""}])
def test_meta_that_grew_too_large_before_may_shrink(changes: dict[str, Any]) -> None:
    group = booked()
    for first in (0, 100, 200):
        event = MetaChanged(
            at=NOON,
            booking_id=CREATE.group_id,
            current_seats=3,
            max_seats=40,
            meta=keys(first, 100, "old"),
        )
        evolve(group, event)
    assert isinstance(decide(group, meta_of_group(changes), NOON), list)
    for grows in (keys(300, 1), {"k0": "much longer than it was"}):
        assert refused(decide(group, meta_of_group(grows), NOON)) == "meta_too_large"


FULL = MetaSize(MAX_META_KEYS, MAX_META_BYTES)


@pytest.mark.parametrize(
    ("before", "then", "code"),
    [
        ((0, 0), (1, 10), None),
        ((99, 500), FULL, None),
        (FULL, (MAX_META_KEYS + 1, 900), "meta_too_large"),
        (FULL, (MAX_META_KEYS, MAX_META_BYTES + 1), "meta_too_large"),
        ((300, 40_000), (300, 39_999), None),
        ((300, 40_000), (299, 39_999), None),
        ((300, 40_000), (300, 40_000), "meta_too_large"),
        ((300, 40_000), (301, 39_000), "meta_too_large"),
        ((300, 40_000), (299, 40_001), "meta_too_large"),
    ],
)
def test_a_seat_bookings_meta_is_judged_by_its_sizes(
    before: tuple[int, int], then: tuple[int, int], code: str | None
) -> None:
    command = ChangeMeta(
        app_id=APP,
        group_id=CREATE.group_id,
        booking_id=BOOKING,
        sealed=b"m",
        before=MetaSize(*before),
        after=MetaSize(*then),
    )
    assert refused(decide(booked(), command, NOON)) == code


def revised(group: Group, booking: UUID = BOOKING) -> Group:
    """Somebody else's change of the booking's meta came first."""
    common: dict[str, Any] = {"at": NOON, "current_seats": 3, "max_seats": 40}
    return evolve(group, MetaChanged(booking_id=booking, sealed=b"m", **common))


def test_what_was_prepared_from_older_details_is_prepared_anew() -> None:
    command = cancel(1, 1, 3, revisions=0)
    assert isinstance(decide(booked(), command, NOON), list)
    with pytest.raises(Outdated):
        decide(revised(booked()), command, NOON)
    assert isinstance(decide(revised(booked()), cancel(1, 1, 3, revisions=1), NOON), list)
    assert isinstance(decide(revised(booked(), CREATE.group_id), command, NOON), list)
    assert isinstance(decide(revised(booked()), cancel(None, None, 0), NOON), list)


def test_only_what_changes_the_details_counts() -> None:
    group = booked()
    for sealed, number in ((None, 0), (b"m", 1)):
        decision = decide(group, cancel(1, None, 0, sealed=sealed), NOON)
        assert isinstance(decision, list)
        evolve(group, decision[0])
        assert group.revisions.of(BOOKING) == number


def test_drafts_and_snapshots_know_the_number() -> None:
    group = revised(booked())
    draft = revised(revised(group.draft()))
    assert (group.revisions.of(BOOKING), draft.revisions.of(BOOKING)) == (1, 3)
    group.merge(draft)
    assert group.revisions.of(BOOKING) == 3
    state = bytes(HASH_BYTES) + encode_snapshot(freeze(group))
    again = decode_snapshot(group.group_id, group.version, bytes(HASH_BYTES), state)
    assert again.revisions == group.revisions and again.created == group.created
