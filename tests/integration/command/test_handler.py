"""The handler over a real store: no seat is sold twice, none is refused that was free."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest_asyncio

from services.command.commit.clock import DatabaseClock
from services.command.commit.handler import CommandHandler
from services.command.commit.mailbox_cache import MailboxCache
from services.command.commit.queued_command import QueuedCommand
from shared.eventlog.postgres import PostgresEventStore
from tests.harness.events.group_commands import act, book_seats, create_group, plain
from tests.harness.events.ledger import NOON


@pytest_asyncio.fixture
async def pool(database_url: str) -> AsyncIterator[asyncpg.Pool[asyncpg.Record]]:
    async with asyncpg.create_pool(database_url, min_size=1, max_size=4) as pool:
        yield pool


@pytest_asyncio.fixture
async def handlers(
    pool: asyncpg.Pool[asyncpg.Record], database_url: str
) -> AsyncIterator[list[CommandHandler]]:
    """Two command services on one database."""
    stores = [PostgresEventStore(pool, database_url) for _ in range(2)]
    handlers = [CommandHandler(store, MailboxCache(), DatabaseClock(NOON)) for store in stores]
    for handler in handlers:
        handler.start()
    yield handlers
    for handler, store in zip(handlers, stores, strict=True):
        await handler.stop()
        await store.close()


async def test_the_last_seat_is_sold_once(handlers: list[CommandHandler]) -> None:
    group = create_group(max_seats=40)
    await handlers[0].handle(QueuedCommand(group, plain))
    replies = await asyncio.gather(
        *(
            handlers[n % 2].handle(QueuedCommand(book_seats(group.group_id), plain))
            for n in range(100)
        )
    )
    assert sorted(reply.status for reply in replies) == [201] * 40 + [422] * 60


async def test_a_cancelled_seat_can_be_booked_at_once_elsewhere(
    handlers: list[CommandHandler],
) -> None:
    group = create_group(max_seats=1)
    await handlers[0].handle(QueuedCommand(group, plain))
    for turn in range(10):
        mine, other = handlers[turn % 2], handlers[(turn + 1) % 2]
        booking = book_seats(group.group_id)
        assert (await mine.handle(QueuedCommand(booking, plain))).status == 201
        assert (await other.handle(QueuedCommand(book_seats(group.group_id), plain))).status == 422
        cancel = act(group.group_id, booking.booking_id, "cancel_by_customer")
        assert (await other.handle(QueuedCommand(cancel, plain))).status == 201


async def test_another_apps_group_does_not_exist(handlers: list[CommandHandler]) -> None:
    group = create_group()
    await handlers[0].handle(QueuedCommand(group, plain))
    stranger = book_seats(group.group_id, app_id=group.group_id)
    assert (await handlers[1].handle(QueuedCommand(stranger, plain))).status == 404
