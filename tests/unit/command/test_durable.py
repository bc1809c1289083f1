"""After a lost connection the log says what became durable, and only the rest is sent again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast
from uuid import UUID, uuid4

import pytest

from services.command.commit.unknown_outcome import RETRY_SECONDS, UNKNOWN_SECONDS, append_for_sure
from shared.eventlog.codec import encode_event
from shared.eventlog.record import StoredRecord
from shared.eventlog.store import (
    Answered,
    Appended,
    Confirmed,
    Conflict,
    Entry,
    EventStore,
    Outcome,
    OutcomeUnknown,
    StoreUnavailable,
)
from tests.harness.events.ledger import NOON, booked
from tests.harness.faults.memory_store import run_jumping

PLACE = Appended(2, 5, NOON)


class LostStore:
    """Loses the reply to the first append; `durable` are the events that the log has then."""

    def __init__(self, durable: Sequence[StoredRecord], *again: Outcome | Exception) -> None:
        self.durable = [durable]
        self.again = list(again)
        self.sent: list[list[Entry]] = []

    async def append(self, entries: Sequence[Entry], wake_followers: bool = True) -> list[Outcome]:
        self.sent.append(list(entries))
        if len(self.sent) == 1:
            raise OutcomeUnknown
        outcomes = [self.again.pop(0) for _ in entries]
        for outcome in outcomes:
            if isinstance(outcome, Exception):
                raise outcome
        return cast(list[Outcome], outcomes)

    async def find_events(self, event_ids: Sequence[UUID]) -> list[StoredRecord]:
        there = self.durable[0] if len(self.durable) == 1 else self.durable.pop(0)
        return [record for record in there if record.event_id in event_ids]


def entry(events: int = 2) -> Entry:
    return Entry(uuid4(), 0, [booked() for _ in range(events)])


def written(sent: Entry, position: int = 4) -> list[StoredRecord]:
    """What the log holds of an entry that was appended as it was sent."""
    return [
        StoredRecord(
            position=position + number,
            group_id=sent.group_id,
            version=sent.expected_version + 1 + number,
            topic=new.event.TOPIC,
            state=encode_event(new.event),
            event_id=new.event_id,
            booking_id=new.event.booking_id,
            metadata=new.metadata,
            recorded_at=NOON,
            hash=b"",
        )
        for number, new in enumerate(sent.events)
    ]


def sure(store: object, entries: Sequence[Entry]) -> list[Outcome]:
    outcomes: list[Outcome] = run_jumping(append_for_sure(cast(EventStore, store), entries))
    return outcomes


def test_what_is_durable_is_not_sent_again() -> None:
    there, lost, question = entry(), entry(), entry(0)
    told = Appended(2, 9, NOON)
    store = LostStore(written(there), told, Confirmed(4))
    assert sure(store, [there, lost, question]) == [PLACE, told, Confirmed(4)]
    assert store.sent == [[there, lost, question], [lost, question]]


def test_nothing_is_sent_when_all_is_durable() -> None:
    there = entry()
    store = LostStore(written(there))
    assert sure(store, [there]) == [PLACE]
    assert store.sent == [[there]]


ELSEWHERE: dict[str, dict[str, Any]] = {
    "in another group": {"group_id": UUID(int=1)},
    "at another version": {"version": 7},
    "of another booking": {"booking_id": UUID(int=1)},
    "decided by another process": {"state": encode_event(booked().event)},
    "for another request": {"metadata": {"actor": "somebody else"}},
}


@pytest.mark.parametrize("which", [0, 1, 2], ids=["first", "middle", "last"])
@pytest.mark.parametrize("elsewhere", ELSEWHERE.values(), ids=ELSEWHERE)
def test_an_event_that_another_wrote_makes_nothing_durable(
    which: int, elsewhere: dict[str, Any]
) -> None:
    """Its id is known from a shared Idempotency-Key; the events around it are nowhere."""
    sent, known = entry(3), Answered(3, frozenset({uuid4()}))
    foreign = replace(written(sent)[which], **elsewhere)
    store = LostStore([foreign], known)
    assert sure(store, [sent]) == [known]
    assert store.sent == [[sent], [sent]]


@pytest.mark.parametrize("which", [0, 1, 2], ids=["first", "middle", "last"])
def test_an_entry_of_which_an_event_is_missing_is_not_durable(which: int) -> None:
    sent, told = entry(3), Conflict(1)
    there = [record for number, record in enumerate(written(sent)) if number != which]
    assert sure(LostStore(there, told), [sent]) == [told]


def test_an_event_elsewhere_does_not_spoil_its_own_writers_entry() -> None:
    sent = entry()
    assert sure(LostStore(written(sent) + written(entry())), [sent]) == [PLACE]


def test_a_conflict_with_oneself_is_no_conflict() -> None:
    late, lost = entry(), entry()
    store = LostStore([], Conflict(2), Conflict(3))
    store.durable = [[], written(late)]
    assert sure(store, [late, lost]) == [PLACE, Conflict(3)]


@pytest.mark.parametrize("trouble", [OutcomeUnknown(), StoreUnavailable("away")])
def test_it_asks_until_the_store_is_back(trouble: Exception) -> None:
    told = Appended(2, 9, NOON)
    assert sure(LostStore([], trouble, trouble, told), [entry()]) == [told]


def test_it_gives_up_when_the_store_stays_away() -> None:
    attempts = int(UNKNOWN_SECONDS / RETRY_SECONDS)
    store = LostStore([], *[StoreUnavailable("away")] * (attempts * 2))
    with pytest.raises(OutcomeUnknown):
        sure(store, [entry()])
    assert attempts <= len(store.sent) <= attempts + 4
