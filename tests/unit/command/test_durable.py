"""After a lost connection the log says what became durable, and only the rest is sent again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast
from uuid import UUID, uuid4

import pytest

from services.command.durable import RETRY_SECONDS, UNKNOWN_SECONDS, append_for_sure
from shared.eventlog.store import (
    Appended,
    Confirmed,
    Conflict,
    Entry,
    EventStore,
    Outcome,
    OutcomeUnknown,
    StoreUnavailable,
)
from tests.harness.ledger import NOON, booked
from tests.harness.memory_store import run_jumping

PLACE = Appended(2, 5, NOON)


class LostStore:
    """Loses the reply to the first append; `durable` are the events that the log has then."""

    def __init__(self, durable: Sequence[UUID], *again: Outcome | Exception) -> None:
        self.durable = [set(durable)]
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

    async def find_events(self, event_ids: Sequence[UUID]) -> dict[UUID, Appended]:
        there = self.durable[0] if len(self.durable) == 1 else self.durable.pop(0)
        return {one: PLACE for one in event_ids if one in there}


def entry(events: int = 2) -> Entry:
    return Entry(uuid4(), 0, [booked() for _ in range(events)])


def sure(store: object, entries: Sequence[Entry]) -> list[Outcome]:
    outcomes: list[Outcome] = run_jumping(append_for_sure(cast(EventStore, store), entries))
    return outcomes


def test_what_is_durable_is_not_sent_again() -> None:
    there, lost, question = entry(), entry(), entry(0)
    told = Appended(2, 9, NOON)
    store = LostStore([there.events[-1].event_id], told, Confirmed(4))
    assert sure(store, [there, lost, question]) == [PLACE, told, Confirmed(4)]
    assert store.sent == [[there, lost, question], [lost, question]]


def test_nothing_is_sent_when_all_is_durable() -> None:
    there = entry()
    store = LostStore([there.events[-1].event_id])
    assert sure(store, [there]) == [PLACE]
    assert store.sent == [[there]]


def test_a_conflict_with_oneself_is_no_conflict() -> None:
    late, lost = entry(), entry()
    store = LostStore([], Conflict(2), Conflict(3))
    store.durable = [set(), {late.events[-1].event_id}]
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
