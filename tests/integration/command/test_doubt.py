"""When the outcome of an append is unknown: nobody is told a thing that is not so."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import asyncpg
import pytest
import pytest_asyncio

from services.command.commit.atomic import AtomicCommit
from services.command.commit.clock import DatabaseClock
from services.command.commit.handler import CommandHandler
from services.command.commit.mailbox_cache import MailboxCache
from services.command.commit.queued_command import AnsweredBefore, QueuedCommand, SealAnswer
from services.command.commit.reply import Reply
from shared.eventlog.postgres import PostgresEventStore
from shared.eventlog.store import CommandAnswer
from tests.harness.events.group_commands import book_seats, create_group, plain
from tests.harness.events.ledger import NOON
from tests.harness.faults.proxy import Proxy
from tests.integration.command.conftest import held_head

Handlers = tuple[CommandHandler, CommandHandler]


@pytest_asyncio.fixture
async def proxy(database_url: str) -> AsyncIterator[Proxy]:
    async with Proxy(database_url) as proxy:
        yield proxy


@pytest_asyncio.fixture
async def handlers(
    pool: asyncpg.Pool[asyncpg.Record], proxy: Proxy, database_url: str
) -> AsyncIterator[Handlers]:
    """One whose appends go through the proxy, and one beside it."""
    stores = [PostgresEventStore(pool, dsn) for dsn in (proxy.url, database_url)]
    mine, other = (CommandHandler(s, MailboxCache(), DatabaseClock(NOON)) for s in stores)
    mine.start()
    other.start()
    yield mine, other
    await mine.stop()
    await other.stop()
    for store in stores:
        await store.close()


async def test_a_statement_of_a_dead_connection_that_runs_late_books_once(
    handlers: Handlers, pool: asyncpg.Pool[asyncpg.Record], proxy: Proxy
) -> None:
    group = create_group(10)
    await handlers[0].handle(QueuedCommand(group, plain))
    async with held_head(pool) as head:
        bookings = [
            asyncio.create_task(
                handlers[0].handle(QueuedCommand(book_seats(group.group_id), plain))
            )
            for _ in range(5)
        ]
        await head.waits()
        proxy.cut()
    replies = await asyncio.gather(*bookings)
    assert [reply.body for reply in replies] == [b"1", b"2", b"3", b"4", b"5"]
    assert await pool.fetchval("SELECT count(*) FROM stored_events") == 6


async def test_what_never_arrived_is_sent_again(
    handlers: Handlers, pool: asyncpg.Pool[asyncpg.Record], proxy: Proxy
) -> None:
    group = create_group(10)
    await handlers[0].handle(QueuedCommand(group, plain))
    proxy.cut_after(10)
    reply = await handlers[0].handle(QueuedCommand(book_seats(group.group_id), plain))
    assert (reply.status, reply.position) == (201, 2)
    assert await pool.fetchval("SELECT count(*) FROM stored_events") == 2


async def test_a_group_that_moved_on_meanwhile_is_decided_again(
    handlers: Handlers, pool: asyncpg.Pool[asyncpg.Record], proxy: Proxy
) -> None:
    group = create_group(2)
    await handlers[0].handle(QueuedCommand(group, plain))
    await proxy.refuse()
    mine = [
        asyncio.create_task(handlers[0].handle(QueuedCommand(book_seats(group.group_id), plain)))
        for _ in range(2)
    ]
    assert (
        await handlers[1].handle(QueuedCommand(book_seats(group.group_id), plain))
    ).status == 201
    await proxy.accept()
    told = await asyncio.gather(*mine, return_exceptions=True)
    kept = sum(isinstance(reply, Reply) and reply.status == 201 for reply in told)
    assert await pool.fetchval("SELECT count(*) FROM stored_events") == 2 + kept
    assert kept <= 1


async def test_a_keyed_command_whose_answer_was_lost_is_answered_from_the_store(
    handlers: Handlers, pool: asyncpg.Pool[asyncpg.Record], proxy: Proxy
) -> None:
    """A refusal has no event to be found by: its row says that it was given."""
    command_id, missing = uuid4(), book_seats(uuid4())
    await handlers[0].handle(QueuedCommand(create_group(), plain))

    def seal(booking: object, reply: Reply, *rest: object) -> list[CommandAnswer]:
        return [CommandAnswer(command_id, missing.booking_id, b"hash", reply.body, uuid4())]

    async with held_head(pool) as head:
        asked = asyncio.create_task(
            handlers[0].handle(
                QueuedCommand(missing, plain, command_id=command_id, seal_answer=seal)
            )
        )
        await head.waits()
        proxy.cut()
    with pytest.raises(AnsweredBefore):
        await asked
    assert await pool.fetchval("SELECT count(*) FROM command_answers") == 1


def sealed_as(command_id: UUID, booking_id: UUID) -> SealAnswer:
    """What keeps the answer of a command under a key."""

    def seal(
        _: UUID, reply: Reply, has_events: bool, first_event_id: UUID | None
    ) -> list[CommandAnswer]:
        return [CommandAnswer(command_id, booking_id, b"hash", reply.body, first_event_id)]

    return seal


async def test_bookings_made_together_are_not_written_because_a_key_was_used_elsewhere(
    handlers: Handlers, pool: asyncpg.Pool[asyncpg.Record], proxy: Proxy
) -> None:
    """The last one's key led to a booking in another group, and the append never arrives."""
    here, there, command_id = create_group(10), create_group(10), uuid4()
    known = book_seats(there.group_id)
    seal = sealed_as(command_id, known.booking_id)
    for group in (here, there):
        await handlers[1].handle(QueuedCommand(group, plain))
    await handlers[1].handle(QueuedCommand(known, plain, command_id=command_id, seal_answer=seal))
    before = await pool.fetchval("SELECT count(*) FROM stored_events")
    store = PostgresEventStore(pool, proxy.url)
    await store.find_events([uuid4()])
    proxy.cut_after(10)
    with pytest.raises(AnsweredBefore):
        await AtomicCommit(store, DatabaseClock(NOON)).commit(
            [
                QueuedCommand(book_seats(here.group_id), plain),
                QueuedCommand(
                    book_seats(here.group_id), plain, command_id=command_id, seal_answer=seal
                ),
            ]
        )
    await store.close()
    assert await pool.fetchval("SELECT count(*) FROM stored_events") == before
