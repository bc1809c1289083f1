"""Under pressure: bounded queues, deadlines, callers that left, and faults that stay alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

import asyncpg
import pytest
import pytest_asyncio

from services.command.commit import mailbox
from services.command.commit.clock import DatabaseClock
from services.command.commit.handler import CommandHandler
from services.command.commit.mailbox_cache import MailboxCache
from services.command.commit.queued_command import QueuedCommand
from services.command.commit.reply import Reply
from shared.booking_api.errors import InternalError, Parked, TooBusy
from shared.domain.events import Event
from shared.domain.group import Group
from shared.eventlog.postgres import PostgresEventStore
from tests.harness.events.group_commands import book_seats, create_group, plain
from tests.harness.events.ledger import NOON
from tests.integration.command.conftest import held_head

Pool = asyncpg.Pool


@pytest_asyncio.fixture
async def handler(pool: Pool[asyncpg.Record], database_url: str) -> AsyncIterator[CommandHandler]:
    store = PostgresEventStore(pool, database_url)
    handler = CommandHandler(store, MailboxCache(), DatabaseClock(NOON), command_seconds=60.0)
    handler.start()
    yield handler
    await handler.stop()
    await store.close()


async def test_nobody_waits_past_the_deadline_for_a_database_that_hangs(
    handler: CommandHandler, pool: Pool[asyncpg.Record], monkeypatch: pytest.MonkeyPatch
) -> None:
    group = create_group()
    await handler.handle(QueuedCommand(group, plain))
    async with held_head(pool) as head:
        first = asyncio.create_task(
            handler.handle(QueuedCommand(book_seats(group.group_id), plain))
        )
        await head.waits()
        monkeypatch.setattr(handler, "_command_seconds", 0.2)
        with pytest.raises(TooBusy) as refused:
            await handler.handle(QueuedCommand(book_seats(group.group_id), plain))
        assert refused.value.headers() == {"Retry-After": "1"}
    assert (await first).status == 201
    assert await pool.fetchval("SELECT count(*) FROM stored_events") == 2


async def test_a_caller_that_left_is_dropped_before_it_is_decided(
    handler: CommandHandler, pool: Pool[asyncpg.Record]
) -> None:
    group = create_group()
    await handler.handle(QueuedCommand(group, plain))
    left: list[bool] = []
    async with held_head(pool) as head:
        first = asyncio.create_task(
            handler.handle(QueuedCommand(book_seats(group.group_id), plain))
        )
        await head.waits()
        gone = handler.handle(
            QueuedCommand(book_seats(group.group_id), plain, caller_left=lambda: bool(left))
        )
        leaving = asyncio.create_task(gone)
        cancelled = asyncio.create_task(
            handler.handle(QueuedCommand(book_seats(group.group_id), plain))
        )
        await asyncio.sleep(0)
        left.append(True)
        cancelled.cancel()
    await asyncio.wait({first, leaving, cancelled})
    assert isinstance(leaving.exception(), TooBusy)
    assert await pool.fetchval("SELECT count(*) FROM stored_events") == 2


async def test_a_caller_that_leaves_while_it_is_committed_changes_nothing(
    handler: CommandHandler, pool: Pool[asyncpg.Record]
) -> None:
    group = create_group()
    await handler.handle(QueuedCommand(group, plain))
    async with held_head(pool) as head:
        leaving = asyncio.create_task(
            handler.handle(QueuedCommand(book_seats(group.group_id), plain))
        )
        await head.waits()
        leaving.cancel()
    assert (await handler.handle(QueuedCommand(book_seats(group.group_id), plain))).body == b"2"


async def test_a_full_mailbox_says_so(
    handler: CommandHandler, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mailbox, "MAX_WAITING", 3)
    group = create_group()
    await handler.handle(QueuedCommand(group, plain))
    told = await asyncio.gather(
        *(handler.handle(QueuedCommand(book_seats(group.group_id), plain)) for _ in range(5)),
        return_exceptions=True,
    )
    assert [isinstance(one, TooBusy) for one in told] == [False] * 3 + [True] * 2


async def test_a_bug_in_one_command_is_its_own(handler: CommandHandler) -> None:
    group = create_group()
    await handler.handle(QueuedCommand(group, plain))

    def broken(group: Group, events: Sequence[Event]) -> Reply:
        raise ZeroDivisionError

    renders = [plain, plain, broken, plain]
    told = await asyncio.gather(
        *(handler.handle(QueuedCommand(book_seats(group.group_id), render)) for render in renders),
        return_exceptions=True,
    )
    assert isinstance(told.pop(2), InternalError)
    assert [one.body for one in told if isinstance(one, Reply)] == [b"1", b"2", b"3"]


async def test_a_command_that_cannot_be_stored_is_found_among_the_others(
    handler: CommandHandler, pool: Pool[asyncpg.Record]
) -> None:
    groups = [create_group() for _ in range(3)]
    groups[1] = replace(groups[1], about=replace(groups[1].about, what="nothing but \x00"))
    groups[2] = replace(groups[2], metadata={"actor": "\x00"})
    told = await asyncio.gather(
        *(handler.handle(QueuedCommand(group, plain)) for group in groups), return_exceptions=True
    )
    assert isinstance(told[2], InternalError)
    assert (
        await handler.handle(QueuedCommand(book_seats(groups[0].group_id), plain))
    ).status == 201


async def test_a_group_that_cannot_be_read_is_parked_and_others_go_on(
    handler: CommandHandler, pool: Pool[asyncpg.Record], database_url: str
) -> None:
    poisoned, sound = create_group(), create_group()
    for group in (poisoned, sound):
        await handler.handle(QueuedCommand(group, plain))
    await handler.handle(QueuedCommand(book_seats(poisoned.group_id), plain))
    await pool.execute(
        "UPDATE stored_events SET state = '{}' WHERE originator_id = $1", poisoned.group_id
    )
    store = PostgresEventStore(pool, database_url)
    second = CommandHandler(store, MailboxCache(), DatabaseClock(NOON))
    second.start()
    with pytest.raises(Parked):
        await second.handle(QueuedCommand(book_seats(poisoned.group_id), plain))
    assert (await second.handle(QueuedCommand(book_seats(sound.group_id), plain))).status == 201
    await second.stop()
    await store.close()
