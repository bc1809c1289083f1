"""append() against a real server: dense order, answers instead of errors, a chain that verifies."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import asyncpg
import pytest_asyncio

from shared.eventlog.chain import GENESIS, link_record
from shared.eventlog.follower import read_log
from shared.eventlog.postgres import PostgresEventStore
from shared.eventlog.store import Answered, Appended, CommandAnswer, Confirmed, Conflict, Entry
from tests.harness.events.ledger import booked, created


@pytest_asyncio.fixture
async def pool(database_url: str) -> AsyncIterator[asyncpg.Pool[asyncpg.Record]]:
    async with asyncpg.create_pool(database_url, min_size=1, max_size=4) as pool:
        yield pool


@pytest_asyncio.fixture
async def store(
    pool: asyncpg.Pool[asyncpg.Record], database_url: str
) -> AsyncIterator[PostgresEventStore]:
    store = PostgresEventStore(pool, database_url)
    yield store
    await store.close()


async def test_a_batch_over_two_groups_gets_dense_positions(store: PostgresEventStore) -> None:
    first, second = uuid4(), uuid4()
    outcomes = await store.append(
        [Entry(first, 0, [created(first), booked()]), Entry(second, 0, [created(second)])]
    )
    assert [(o.version, o.position) for o in outcomes if isinstance(o, Appended)] == [
        (2, 2),
        (1, 3),
    ]


async def test_a_conflict_answers_with_what_the_caller_lacks(store: PostgresEventStore) -> None:
    stale, fresh = uuid4(), uuid4()
    theirs = [created(stale), booked()]
    await store.append([Entry(stale, 0, theirs)])
    conflict, kept = await store.append(
        [Entry(stale, 0, [created(stale)]), Entry(fresh, 0, [created(fresh)])]
    )
    assert isinstance(conflict, Conflict)
    assert conflict.version == 2
    assert [m.event_id for m in conflict.missing] == [new.event_id for new in theirs]
    assert isinstance(kept, Appended)
    assert kept.position == 3


async def test_an_entry_without_events_confirms_a_version(store: PostgresEventStore) -> None:
    group = uuid4()
    await store.append([Entry(group, 0, [created(group)])])
    assert await store.append([Entry(group, 1), Entry(uuid4(), 0)]) == [Confirmed(1), Confirmed(0)]
    assert isinstance((await store.append([Entry(group, 0)]))[0], Conflict)


async def test_a_known_command_writes_nothing(store: PostgresEventStore) -> None:
    group, command = uuid4(), uuid4()
    new = created(group)
    answer = CommandAnswer(command, group, b"hash", b"sealed", new.event_id)
    await store.append([Entry(group, 0, [new], (), [answer])])
    again = await store.append([Entry(group, 1, [booked()], (), [answer])])
    assert again == [Answered(1, frozenset({command}))]
    assert len(await store.read_stream(group)) == 1


async def test_a_pruned_command_is_still_known_by_its_event(
    store: PostgresEventStore, pool: asyncpg.Pool[asyncpg.Record]
) -> None:
    group, command = uuid4(), uuid4()
    new = created(group)
    answer = CommandAnswer(command, group, b"hash", b"sealed", new.event_id)
    await store.append([Entry(group, 0, [new], (), [answer])])
    await pool.execute("DELETE FROM command_answers")
    again = await store.append([Entry(group, 1, [booked()], (), [answer])])
    assert again == [Answered(1, frozenset({command}))]


async def test_the_chain_links_every_event_to_all_before_it(
    store: PostgresEventStore, pool: asyncpg.Pool[asyncpg.Record]
) -> None:
    for _ in range(3):
        group = uuid4()
        await store.append([Entry(group, 0, [created(group), booked(), booked()])])
    previous = GENESIS
    for record in await read_log(pool, 0, 100):
        previous = link_record(previous, record)
        assert record.hash == previous
    head = await pool.fetchrow("SELECT position, hash FROM log_head")
    assert head is not None
    assert tuple(head) == (9, previous)


async def test_a_booking_is_found_in_the_log(store: PostgresEventStore) -> None:
    group, seat = uuid4(), booked()
    await store.append([Entry(group, 0, [created(group), seat])])
    history = await store.find_booking(seat.event.booking_id)
    assert history is not None
    assert (history.group_id, list(history.events)) == (group, [seat.event])
    [found] = await store.find_events([seat.event_id, uuid4()])
    assert (found.event_id, found.group_id, found.version) == (seat.event_id, group, 2)
    assert found.booking_id == seat.event.booking_id
    assert await store.find_booking(UUID(int=1)) is None


async def test_writers_on_one_group_never_share_a_version(
    pool: asyncpg.Pool[asyncpg.Record], database_url: str
) -> None:
    group = uuid4()
    stores = [PostgresEventStore(pool, database_url) for _ in range(4)]
    await stores[0].append([Entry(group, 0, [created(group)])])

    async def write(store: PostgresEventStore) -> int:
        version, wins = 1, 0
        while wins < 20:
            [outcome] = await store.append([Entry(group, version, [booked()])])
            version = outcome.version
            wins += isinstance(outcome, Appended)
        return wins

    assert sum(await asyncio.gather(*map(write, stores))) == 80
    assert len(await stores[0].read_stream(group)) == 81
    for store in stores:
        await store.close()
