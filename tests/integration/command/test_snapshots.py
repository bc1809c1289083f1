"""Snapshots only save time: whatever is wrong with one, the group is what its events say."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest
import pytest_asyncio

from services.command.commit import snapshots
from services.command.commit.clock import DatabaseClock
from services.command.commit.handler import CommandHandler
from services.command.commit.mailbox_cache import MailboxCache
from services.command.commit.queued_command import QueuedCommand
from shared.domain.group import Group, fold
from shared.eventlog.postgres import PostgresEventStore
from shared.eventlog.snapshot import encode_snapshot, freeze
from shared.eventlog.store import Entry
from tests.harness.events.group_commands import act, book_seats, create_group, plain
from tests.harness.events.ledger import NOON, booked, created


@pytest_asyncio.fixture
async def store(
    pool: asyncpg.Pool[asyncpg.Record], database_url: str
) -> AsyncIterator[PostgresEventStore]:
    store = PostgresEventStore(pool, database_url)
    yield store
    await store.close()


async def eventful_group(store: PostgresEventStore) -> UUID:
    """A group with bookings in several states, some cancelled, some held."""
    handler = CommandHandler(store, MailboxCache(), DatabaseClock(NOON))
    handler.start()
    group = create_group(100, max_seats_per_customer=5)
    await handler.handle(QueuedCommand(group, plain))
    for number in range(12):
        paid = number % 3 == 0
        graph = "group_customer_payment" if paid else "group_customer"
        booking = book_seats(group.group_id, 1 + number % 2, graph=graph, hold=timedelta(hours=1))
        await handler.handle(QueuedCommand(booking, plain))
        action = "pay" if paid else "cancel_by_owner"
        if number % 2:
            mine = act(group.group_id, booking.booking_id, action, graph=graph)
            assert (await handler.handle(QueuedCommand(mine, plain))).status == 201
    await handler.stop()
    return group.group_id


def looks(group: Group) -> tuple[object, ...]:
    """All that a group is, comparable."""
    holds = [group.holds[n] for n in range(len(group.holds))]
    facts = (group.version, group.state, group.created, group.settings, group.current_seats)
    return (*facts, group.changed_at, list(group.seats.items()), holds, group.holds.first)


async def folded(store: PostgresEventStore, group_id: UUID) -> Group:
    return fold(group_id, await store.read_stream(group_id))


async def save(store: PostgresEventStore, group: Group) -> None:
    await store.save_snapshot(group.group_id, group.version, encode_snapshot(freeze(group)))


async def test_a_group_from_a_snapshot_is_the_group_of_its_events(
    store: PostgresEventStore,
) -> None:
    group_id = await eventful_group(store)
    group = await folded(store, group_id)
    await save(store, group)
    assert looks((await store.read_group(group_id))[0]) == looks(group)
    await store.append([Entry(group_id, group.version, [booked(), booked()])])
    again, snapshot_version = await store.read_group(group_id)
    assert (snapshot_version, again.version) == (group.version, group.version + 2)
    assert looks(again) == looks(await folded(store, group_id))


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE stored_snapshots SET state = set_byte(state, 200, get_byte(state, 200) # 1)",
        "UPDATE stored_snapshots SET state = substr(state, 1, 90)",
        "UPDATE stored_snapshots SET state = ''",
        "UPDATE stored_snapshots SET topic = 'seatledger.group.0'",
        "UPDATE stored_events SET hash = sha256(hash)",
        "UPDATE stored_snapshots SET originator_version = originator_version - 1,"
        " state = (SELECT hash FROM stored_events WHERE originator_version ="
        " (SELECT max(originator_version) - 1 FROM stored_events)) || substr(state, 33)",
    ],
)
async def test_a_snapshot_that_does_not_fit_is_ignored(
    store: PostgresEventStore, pool: asyncpg.Pool[asyncpg.Record], damage: str
) -> None:
    group_id = await eventful_group(store)
    group = await folded(store, group_id)
    await save(store, group)
    await pool.execute(damage)
    again, snapshot_version = await store.read_group(group_id)
    assert snapshot_version == 0
    assert looks(again) == looks(group)


async def test_no_snapshot_is_kept_of_what_the_log_does_not_have(
    store: PostgresEventStore, pool: asyncpg.Pool[asyncpg.Record]
) -> None:
    group_id = uuid4()
    await store.append([Entry(group_id, 0, [created(group_id)])])
    ahead = fold(group_id, [created(group_id).event, booked().event])
    await save(store, ahead)
    assert await pool.fetchval("SELECT count(*) FROM stored_snapshots") == 0


async def test_snapshots_are_taken_as_the_group_grows_and_only_the_newest_is_kept(
    store: PostgresEventStore,
    pool: asyncpg.Pool[asyncpg.Record],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(snapshots, "LEAST_EVENTS", 10)
    handler = CommandHandler(store, MailboxCache(), DatabaseClock(NOON))
    handler.start()
    group = create_group(1_000)
    await handler.handle(QueuedCommand(group, plain))
    for _ in range(12):
        await asyncio.gather(
            *(handler.handle(QueuedCommand(book_seats(group.group_id), plain)) for _ in range(10))
        )
    await handler.stop()
    rows = await pool.fetch("SELECT originator_version FROM stored_snapshots")
    versions = [row[0] for row in rows]
    assert len(versions) == 1
    assert versions[0] >= 90
