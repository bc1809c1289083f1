"""A command prepared from other details than its group's state counts: whose version is old?"""

from __future__ import annotations

from uuid import uuid4

from services.command.rules.event_fields import Outdated
from shared.domain.events import MetaChanged, SeatCancelled
from shared.eventlog.store import Appended, Confirmed, Conflict, MissingEvent
from tests.harness.events.commands_waiting import booking, failure, mailbox_of, queued
from tests.harness.events.group_commands import act
from tests.harness.events.ledger import NOON

NOW = 5.0
GROUP = uuid4()


async def test_what_is_outdated_is_prepared_anew_only_once_the_version_is_confirmed() -> None:
    """Its history may be newer than this process's state: then the state is what is old."""
    booked = booking(GROUP, 2)
    mailbox = mailbox_of(GROUP, booked)
    entry = mailbox.prepare(NOON, NOW)
    assert entry is not None
    mailbox.settle(Appended(2, 2, NOON), NOW)
    cancel = act(GROUP, booked.command.booking_id, "cancel_by_customer", seats=1, revisions=1)
    late = queued(cancel)
    mailbox.waiting.append(late)
    assert mailbox.prepare(NOON, NOW) is not None
    assert not late.future.done()
    mailbox.settle(Confirmed(2), NOW)
    assert isinstance(failure(late), Outdated)


async def test_what_only_an_old_state_calls_outdated_is_decided_by_the_new_one() -> None:
    booked = booking(GROUP, 2)
    mailbox = mailbox_of(GROUP, booked)
    mailbox.prepare(NOON, NOW)
    mailbox.settle(Appended(2, 2, NOON), NOW)
    booking_id = booked.command.booking_id
    late = queued(act(GROUP, booking_id, "cancel_by_customer", seats=1, revisions=1))
    mailbox.waiting.append(late)
    assert mailbox.prepare(NOON, NOW) is not None
    meta = MetaChanged(at=NOON, booking_id=booking_id, current_seats=2, max_seats=10, sealed=b"m")
    assert mailbox.settle(Conflict(3, [MissingEvent(uuid4(), meta, 3, 3, NOON)]), NOW)
    again = mailbox.prepare(NOON, NOW)
    assert again is not None and [one.event.TOPIC for one in again.events] == [SeatCancelled.TOPIC]
