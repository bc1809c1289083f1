"""A mailbox decides what waits on a draft, and takes over what the store says became of it."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID, uuid4

import pytest

from services.command.commit import mailbox as module
from services.command.commit.mailbox import CONTENDED_SECONDS, Mailbox
from services.command.commit.queued_command import AnsweredBefore
from services.command.commit.reply import Reply
from shared.booking_api.errors import InternalError, TooBusy
from shared.domain.events import Event
from shared.domain.group import Group
from shared.eventlog.record import NewEvent
from shared.eventlog.store import (
    Answered,
    Appended,
    CommandAnswer,
    Confirmed,
    Conflict,
    MissingEvent,
)
from tests.harness.events.commands_waiting import (
    DEADLINE,
    booking,
    failure,
    mailbox_of,
    others_booked,
    queued,
)
from tests.harness.events.group_commands import act, book_seats
from tests.harness.events.ledger import NOON

NOW = 5.0
GROUP = uuid4()


class AGroupLock:
    """The group's turn, which somebody may want back."""

    def __init__(self, *missing: MissingEvent) -> None:
        self.missing: Sequence[MissingEvent] = missing
        self.is_over = False

    def end(self) -> None:
        self.is_over = True


def broken(group: Group, events: Sequence[Event]) -> Reply:
    raise RuntimeError("a bug")


async def test_what_waits_is_one_entry_at_the_groups_version() -> None:
    mailbox = mailbox_of(GROUP, booking(GROUP, 2), booking(GROUP, 3))
    entry = mailbox.prepare(NOON, NOW)
    assert entry is not None
    assert (entry.group_id, entry.expected_version) == (GROUP, 1)
    assert [new.event.current_seats for new in entry.events] == [2, 5]
    assert [key.wrapped_key for key in entry.keys] == [b"wrapped"] * 2
    assert mailbox.group is not None and mailbox.group.current_seats == 0


async def test_nothing_is_prepared_while_something_is_under_way_or_no_group_is_there() -> None:
    mailbox = mailbox_of(GROUP, booking(GROUP))
    assert mailbox.prepare(NOON, NOW) is not None
    mailbox.put(booking(GROUP))
    assert mailbox.prepare(NOON, NOW) is None
    unloaded = Mailbox(GROUP)
    unloaded.put(booking(GROUP))
    assert unloaded.prepare(NOON, NOW) is None
    assert (len(mailbox.waiting), len(unloaded.waiting)) == (1, 1)


async def test_nothing_is_prepared_when_nobody_waits() -> None:
    mailbox = mailbox_of(GROUP)
    assert mailbox.prepare(NOON, NOW) is None
    assert mailbox.in_flight is None


async def test_no_more_are_decided_than_there_is_room_for() -> None:
    mailbox = mailbox_of(GROUP, *(booking(GROUP) for _ in range(5)))
    entry = mailbox.prepare(NOON, NOW, limit=2)
    assert entry is not None and len(entry.events) == 2
    assert len(mailbox.waiting) == 3


async def test_a_full_mailbox_takes_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_WAITING", 2)
    mailbox = mailbox_of(GROUP, booking(GROUP), booking(GROUP))
    with pytest.raises(TooBusy):
        mailbox.put(booking(GROUP))
    assert len(mailbox.waiting) == 2


async def test_who_waited_too_long_or_left_is_not_decided() -> None:
    late, gone = booking(GROUP, deadline=NOW), booking(GROUP, caller_left=lambda: True)
    there = booking(GROUP, caller_left=lambda: False)
    entry = mailbox_of(GROUP, late, gone, there).prepare(NOON, NOW)
    assert entry is not None and len(entry.events) == 1
    assert isinstance(failure(late), TooBusy) and isinstance(failure(gone), TooBusy)
    assert not there.future.done()


async def test_a_bug_in_one_command_is_its_own() -> None:
    first, last = booking(GROUP), booking(GROUP)
    bad = booking(GROUP)
    bad.render = broken
    mailbox = mailbox_of(GROUP, first, bad, last)
    entry = mailbox.prepare(NOON, NOW)
    assert entry is not None and mailbox.in_flight is not None
    assert isinstance(failure(bad), InternalError)
    assert [one for one, _ in mailbox.in_flight.replies] == [first, last]
    assert [new.event.current_seats for new in entry.events] == [1, 2]


async def test_an_append_is_answered_with_its_position() -> None:
    one = booking(GROUP, 2)
    mailbox = mailbox_of(GROUP, one)
    mailbox.prepare(NOON, NOW)
    assert mailbox.settle(Appended(2, 77, NOON), NOW) is True
    assert one.future.result() == Reply(201, b"2", 77)
    assert mailbox.group is not None and mailbox.group.version == 2
    assert mailbox.is_idle


async def test_a_refusal_is_answered_once_it_is_confirmed() -> None:
    one = booking(GROUP, 3)
    mailbox = mailbox_of(GROUP, one, max_seats=2)
    entry = mailbox.prepare(NOON, NOW)
    assert entry is not None and not entry.events and not entry.keys
    assert mailbox.settle(Confirmed(1), NOW) is True
    reply = one.future.result()
    assert (reply.status, reply.position) == (422, None)


async def test_nothing_under_way_cannot_be_settled() -> None:
    with pytest.raises(RuntimeError):
        mailbox_of(GROUP).settle(Confirmed(1), NOW)
    forgotten = mailbox_of(GROUP, booking(GROUP))
    forgotten.prepare(NOON, NOW)
    forgotten.group = None
    with pytest.raises(RuntimeError):
        forgotten.settle(Confirmed(1), NOW)


async def test_after_a_conflict_the_same_commands_wait_in_their_order() -> None:
    ones = [booking(GROUP), booking(GROUP)]
    mailbox = mailbox_of(GROUP, *ones)
    mailbox.prepare(NOON, NOW)
    later = booking(GROUP)
    mailbox.put(later)
    assert mailbox.settle(Conflict(2, [others_booked(GROUP, 2)]), NOW) is True
    assert list(mailbox.waiting) == [*ones, later]
    assert mailbox.group is not None
    assert (mailbox.group.version, mailbox.group.current_seats) == (2, 1)
    assert mailbox.contended_until == NOW + CONTENDED_SECONDS
    assert not any(one.future.done() for one in ones)


async def test_a_group_that_cannot_be_caught_up_with_is_read_again() -> None:
    mailbox = mailbox_of(GROUP, booking(GROUP))
    mailbox.prepare(NOON, NOW)
    assert mailbox.settle(Conflict(3, [others_booked(GROUP, 3)]), NOW) is False
    assert mailbox.group is None
    assert len(mailbox.waiting) == 1


async def test_only_what_follows_is_folded() -> None:
    mailbox = mailbox_of(GROUP)
    mailbox.catch_up([others_booked(GROUP, 1), others_booked(GROUP, 2), others_booked(GROUP, 4)])
    assert mailbox.group is not None and mailbox.group.version == 2
    unloaded = Mailbox(GROUP)
    unloaded.catch_up([others_booked(GROUP, 1)])
    assert unloaded.group is None


async def test_who_was_answered_before_is_told_so_and_the_others_wait_again() -> None:
    known, other = booking(GROUP, command_id=uuid4()), booking(GROUP, command_id=uuid4())
    mailbox = mailbox_of(GROUP, known, other)
    mailbox.prepare(NOON, NOW)
    assert known.command_id is not None
    assert mailbox.settle(Answered(1, frozenset({known.command_id})), NOW) is True
    assert isinstance(failure(known), AnsweredBefore)
    assert list(mailbox.waiting) == [other]
    assert mailbox.contended_until == 0.0


async def test_giving_up_fails_what_is_under_way_and_not_what_waits() -> None:
    under_way, waiting = booking(GROUP), booking(GROUP)
    mailbox = mailbox_of(GROUP, under_way)
    mailbox.prepare(NOON, NOW)
    mailbox.put(waiting)
    mailbox.give_up(TooBusy())
    mailbox.give_up(TooBusy())
    assert isinstance(failure(under_way), TooBusy)
    assert not waiting.future.done()
    assert mailbox.in_flight is None


async def test_a_retry_puts_back_whoever_still_waits() -> None:
    left, there = booking(GROUP), booking(GROUP)
    mailbox = mailbox_of(GROUP, left, there)
    assert mailbox.retry() == 0
    mailbox.prepare(NOON, NOW)
    left.future.cancel()
    assert mailbox.retry() == 2
    assert list(mailbox.waiting) == [there]
    assert mailbox.in_flight is None


async def test_all_who_wait_can_be_failed() -> None:
    ones = [booking(GROUP), booking(GROUP)]
    mailbox = mailbox_of(GROUP, *ones)
    assert not mailbox.is_idle
    mailbox.fail_waiting(TooBusy())
    assert all(isinstance(failure(one), TooBusy) for one in ones)
    assert mailbox.is_idle


async def test_the_late_ones_are_dropped_from_the_front() -> None:
    late, there = booking(GROUP, deadline=NOW), booking(GROUP)
    mailbox = mailbox_of(GROUP, late, there)
    mailbox.drop_late(NOW)
    assert isinstance(failure(late), TooBusy)
    assert list(mailbox.waiting) == [there]
    mailbox.drop_late(DEADLINE)
    assert not mailbox.waiting


async def test_a_turn_brings_what_others_did_and_is_given_back_once() -> None:
    mailbox, lock = mailbox_of(GROUP), AGroupLock(others_booked(GROUP, 2))
    mailbox.take_lock(lock, NOW)
    assert mailbox.group is not None and mailbox.group.version == 2
    assert mailbox.contended_until == NOW + CONTENDED_SECONDS
    assert not mailbox.is_idle
    mailbox.release_lock()
    mailbox.release_lock()
    assert lock.is_over and mailbox.is_idle


async def test_a_turn_after_nobody_ends_the_contention() -> None:
    mailbox = mailbox_of(GROUP)
    mailbox.take_lock(AGroupLock(), NOW)
    assert mailbox.contended_until == 0.0


async def test_a_known_command_seals_its_answer_under_the_id_of_its_first_event() -> None:
    sealed: list[tuple[UUID, bool, UUID | None]] = []

    def seal(
        booking_id: UUID, reply: Reply, is_of_events: bool, first: UUID | None
    ) -> list[CommandAnswer]:
        sealed.append((booking_id, is_of_events, first))
        return [CommandAnswer(uuid4(), booking_id, b"", reply.body, first)]

    good, bad = (
        queued(book_seats(GROUP, seats), command_id=uuid4(), seal_answer=seal) for seats in (2, 9)
    )
    entry = mailbox_of(GROUP, good, bad, max_seats=2).prepare(NOON, NOW)
    assert entry is not None
    [new] = entry.events
    assert isinstance(new, NewEvent)
    assert sealed == [
        (good.command.booking_id, True, new.event_id),
        (bad.command.booking_id, False, bad.first_event_id),
    ]
    assert entry.answers[0].answer == b"2"


async def test_only_new_bookings_bring_keys() -> None:
    entry = mailbox_of(GROUP, queued(act(GROUP, GROUP, "cancel"))).prepare(NOON, NOW)
    assert entry is not None and len(entry.events) == 1
    assert entry.keys == []


async def test_a_batch_is_as_large_as_its_replies_or_its_events() -> None:
    refused = [booking(GROUP, 9) for _ in range(3)]
    mailbox = mailbox_of(GROUP, *refused, max_seats=2)
    mailbox.prepare(NOON, NOW, limit=2)
    assert mailbox.in_flight is not None
    assert (mailbox.in_flight.size, len(mailbox.waiting)) == (2, 1)
