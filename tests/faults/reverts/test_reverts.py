"""Known bugs of the field, put back one at a time: the checker must name each of them.

Each is put into the test's own database or this process. What a sound build says to the same run
stands beside it, so that it is the bug that is found and not the run.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from services.command.commit import unknown_outcome
from services.command.rules import decide as deciding
from services.command.rules.actions import act
from services.command.rules.commands import Act
from services.command.rules.event_fields import Decision
from shared.domain.events import SeatCancelled
from shared.domain.group import Group
from shared.eventlog.postgres import PostgresEventStore
from shared.eventlog.store import Confirmed, Entry, Outcome
from tests.harness.checker.gathering import gather_evidence
from tests.harness.checker.verdict import violations
from tests.harness.faults.proxy import Proxy
from tests.harness.faults.reverts import ignore_the_losers_of_a_race, take_the_last_id_for_the_whole
from tests.harness.services.in_process import InProcessCustomers, command_handlers

RUSHES, SEATS = 10, 10


async def named(dsn: str, customers: InProcessCustomers) -> set[str]:
    """The promises that were broken."""
    evidence = await gather_evidence(dsn, customers.history.operations)
    return {violation.invariant for violation in violations(evidence)}


async def rush_for_seats(dsn: str) -> set[str]:
    """Groups that neither of the two services knows yet: both begin with the same version."""
    async with command_handlers(dsn, count=3) as customers:
        for _ in range(RUSHES):
            await customers.rush(await customers.create_group(SEATS, at=2), SEATS * 2)
        return await named(dsn, customers)


async def test_two_services_rush_for_the_same_seats(database_url: str) -> None:
    assert await rush_for_seats(database_url) == set()


async def test_losers_of_a_race_that_are_told_success_are_found(database_url: str) -> None:
    await ignore_the_losers_of_a_race(database_url)
    assert "acknowledged_lost" in await rush_for_seats(database_url)


class TrustsItsCache(PostgresEventStore):
    """A refusal is not confirmed: what this process believes is taken for what is."""

    async def append(self, entries: Sequence[Entry], wake_followers: bool = True) -> list[Outcome]:
        if all(not entry.events for entry in entries):
            return [Confirmed(entry.expected_version) for entry in entries]
        return await super().append(entries, wake_followers)


async def sell_a_cancelled_seat_elsewhere(
    dsn: str, store: type[PostgresEventStore] = PostgresEventStore
) -> set[str]:
    """The first service knows that the group is full; at the second one a seat is given back."""
    async with command_handlers(dsn, new_store=store) as customers:
        group_id = await customers.create_group(max_seats=1)
        taken = await customers.book(group_id)
        assert (await customers.book(group_id)).code == "sold_out"
        assert taken.booking_id is not None
        await customers.cancel(group_id, taken.booking_id, at=1)
        await customers.book(group_id)
        return await named(dsn, customers)


async def test_a_seat_that_came_free_elsewhere_is_sold(database_url: str) -> None:
    assert await sell_a_cancelled_seat_elsewhere(database_url) == set()


async def test_a_refusal_from_a_cache_is_found(database_url: str) -> None:
    assert await sell_a_cancelled_seat_elsewhere(database_url, TrustsItsCache) == {"under_sold"}


async def cancel_again_and_again(dsn: str) -> set[str]:
    async with command_handlers(dsn, count=1) as customers:
        group_id = await customers.create_group(max_seats=5)
        await customers.book(group_id)
        taken = await customers.book(group_id)
        assert taken.booking_id is not None
        for _ in range(2):
            with suppress(RuntimeError):
                await customers.cancel(group_id, taken.booking_id)
        return await named(dsn, customers)


def frees_twice(group: Group, command: Act, now: datetime) -> Decision:
    """Cancelling what is cancelled gives its seats back once more."""
    decision: Any = act(group, command, now)
    if isinstance(decision, list):
        return decision
    seat = group.seats.get(command.booking_id)
    assert seat is not None
    return [
        SeatCancelled(
            at=now,
            booking_id=command.booking_id,
            current_seats=group.current_seats - seat.seats,
            max_seats=group.settings.max_seats,
            by="customer",
            seats=seat.seats,
        )
    ]


async def test_a_booking_is_cancelled_once(database_url: str) -> None:
    assert await cancel_again_and_again(database_url) == set()


async def test_a_cancel_that_frees_twice_is_found(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(deciding._DECISIONS, Act, frees_twice)
    assert {"freed_twice", "count_wrong"} <= await cancel_again_and_again(database_url)


async def lose_a_request_with_a_known_key(dsn: str) -> set[str]:
    """A booking and, behind it, one that the other service wrote meanwhile under the same key:
    the append never arrives."""
    async with Proxy(dsn) as proxy, command_handlers(dsn, first_appends_at=proxy.url) as customers:
        group_id = await customers.create_group(SEATS)
        wish = customers.shared(group_id)
        await customers.ask_shared(wish, 1)
        proxy.cut_after(10)
        await asyncio.gather(customers.rush(group_id, 1), customers.ask_shared(wish, 0))
        return await named(dsn, customers)


async def test_what_another_wrote_makes_nothing_durable(database_url: str) -> None:
    assert await lose_a_request_with_a_known_key(database_url) == set()


async def test_an_entry_judged_by_its_last_id_is_found(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unknown_outcome, "_find", take_the_last_id_for_the_whole)
    assert "acknowledged_lost" in await lose_a_request_with_a_known_key(database_url)


async def test_the_head_and_the_log_belong_together(database_url: str) -> None:
    async with command_handlers(database_url) as customers:
        await customers.rush(await customers.create_group(SEATS), 20)
        evidence = await gather_evidence(database_url, customers.history.operations)
    assert violations(evidence) == []
    torn = replace(evidence, log=evidence.log[:-1])
    assert {"position_gap", "acknowledged_lost"} <= {v.invariant for v in violations(torn)}
