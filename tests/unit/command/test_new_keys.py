"""What was sealed with a key that was destroyed meanwhile is not written: it would be lost."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from uuid import UUID

import pytest

from services.command.rules.commands import ChangeMeta
from services.command.rules.decide import decide
from services.command.rules.event_fields import Outdated
from shared.domain.events import AttendeesErased
from shared.domain.group import Group, evolve
from shared.eventlog.privacy import BookingKey, MasterKey, Unreadable
from shared.eventlog.snapshot import HASH_BYTES, decode_snapshot, encode_snapshot, freeze
from tests.harness.events.decisions import given
from tests.harness.events.group_commands import APP, act, book_seats, create_group
from tests.harness.events.ledger import NOON

BOOKING = UUID(int=5)


def booked() -> Group:
    group = create_group()
    seat = book_seats(group.group_id, 2, booking_id=BOOKING, customer_ref=b"r" * 17)
    return given(group, seat).group


def erase_an_attendee(group: Group) -> None:
    common = {"current_seats": group.current_seats, "max_seats": group.settings.max_seats}
    evolve(group, AttendeesErased(at=NOON, booking_id=BOOKING, attendees=1, sealed=b"", **common))


@pytest.mark.parametrize("erased", [0, 1, 2])
@pytest.mark.parametrize("known", [0, 1, 2])
def test_only_what_the_present_key_sealed_is_written(erased: int, known: int) -> None:
    group = booked()
    for _ in range(erased):
        erase_an_attendee(group)
    change = ChangeMeta(
        app_id=APP, group_id=group.group_id, booking_id=BOOKING, sealed=b"m", new_keys=known
    )
    with pytest.raises(Outdated) if erased != known else nullcontext():
        decide(group, change, NOON)
    decide(group, replace(change, sealed=None), NOON)
    decide(group, act(group.group_id, BOOKING, "cancel"), NOON)


def test_a_draft_and_a_snapshot_know_which_key_a_booking_has() -> None:
    group = booked()
    draft = group.draft()
    erase_an_attendee(draft)
    assert group.new_keys == {}
    group.merge(draft)
    assert group.new_keys == {BOOKING: 1}
    event_hash = b"h" * HASH_BYTES
    kept = event_hash + encode_snapshot(freeze(group))
    known = decode_snapshot(group.group_id, group.version, event_hash, kept)
    assert known.new_keys == {BOOKING: 1}
    assert known.seats.get(BOOKING) == group.seats.get(BOOKING)
    assert known.seats.table.get(BOOKING) is not None
    seat = known.seats.get(BOOKING)
    assert seat is not None and seat.by_mailbox and seat.customer_ref == b"r" * 16


def test_a_key_that_replaces_another_says_so_wherever_it_is_wrapped() -> None:
    old, first = MasterKey(b"o" * 32), BookingKey.new(BOOKING)
    second = BookingKey.new(BOOKING, replaces=True)
    sealed = first.seal("booking", b"text")
    new = MasterKey(b"n" * 32, b"o" * 32)
    rotated = MasterKey(b"n" * 32).unwrap(BOOKING, new.wrap(new.unwrap(BOOKING, old.wrap(second))))
    assert rotated.read("booking", sealed) is None
    assert rotated.read("booking", second.seal("booking", b"text")) == b"text"
    other = old.unwrap(BOOKING, old.wrap(BookingKey.new(BOOKING)))
    with pytest.raises(Unreadable):
        other.read("booking", sealed)
