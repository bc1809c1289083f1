"""Without HTTP: how fast events are appended, and whether a full group books slower than a new one.

Events are sealed and chained as always, by the same appender that serves requests.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from statistics import median
from uuid import UUID

import asyncpg

from services.command.commit.clock import DatabaseClock
from services.command.commit.handler import CommandHandler
from services.command.commit.mailbox_cache import MailboxCache
from services.command.commit.queued_command import QueuedCommand
from services.command.commit.reply import ResponseOptions
from services.command.use_cases.call_context import CallContext
from services.command.use_cases.new_bookings import Owner, prepare_seats
from shared.booking_api.new_seats import NewCustomer, NewSeats
from shared.booking_api.reading.timestamps import Rendering
from shared.booking_api.rendering.includes import NOTHING
from shared.eventlog.postgres import PostgresEventStore
from shared.eventlog.privacy import MasterKey
from tests.harness.events.group_commands import APP, create_group, plain

CALLERS = 256
SECONDS = 4.0
ROUNDS = 5
MASTER = MasterKey(b"b" * 32)
CONTEXT = CallContext(app_id=APP, time_zone="UTC", metadata={"actor": "bench"})
OPTIONS = ResponseOptions(NOTHING, Rendering())


@asynccontextmanager
async def command_handler(dsn: str) -> AsyncIterator[CommandHandler]:
    async with asyncpg.create_pool(dsn, min_size=1, max_size=2) as pool:
        store = PostgresEventStore(pool, dsn)
        handler = CommandHandler(store, MailboxCache(), DatabaseClock(await store.now()))
        handler.start()
        yield handler
        await handler.stop()
        await store.close()


async def append_alone(dsn: str) -> float:
    """Events a second with 256 callers on one group: sealed, wrapped, chained, durable."""
    async with command_handler(dsn) as handler:
        group_id = await new_group(handler)
        rates: list[float] = []
        for _ in range(ROUNDS):
            began = time.perf_counter()
            until = began + SECONDS / ROUNDS
            counts = await asyncio.gather(
                *(_book_until(handler, group_id, until) for _ in range(CALLERS))
            )
            rates.append(sum(counts) / (time.perf_counter() - began))
    return median(rates)


async def growth(dsn: str, size: int = 100_000, batch: int = 64, times: int = 20) -> float:
    """The processor time of a booking in a group that holds `size`, to one in a group of 100.

    Both kinds are booked in turns, so that a noisy machine troubles both alike.
    """
    async with command_handler(dsn) as handler:
        small, large = await new_group(handler), await new_group(handler)
        await _book_many(handler, small, 100)
        for _ in range(size // 1_000):
            await _book_many(handler, large, 1_000)
        costs: dict[UUID, list[float]] = {small: [], large: []}
        for _ in range(times):
            for group_id, found in costs.items():
                began = time.process_time()
                await _book_many(handler, group_id, batch)
                found.append(time.process_time() - began)
    return median(costs[large]) / median(costs[small])


async def new_group(handler: CommandHandler) -> UUID:
    """A group that never fills, and begins late enough."""
    group = create_group(1_000_000)
    await handler.handle(QueuedCommand(group, plain))
    return group.group_id


async def book(handler: CommandHandler, group_id: UUID, number: int) -> None:
    """One seat for one customer, sealed as a request's would be."""
    customer = NewCustomer(f"Ann {number}", f"ann{number}@example.org", "UTC")
    new = NewSeats("group_customer", group_id, 1, customer)
    queued = prepare_seats(new, CONTEXT, OPTIONS, MASTER, timedelta(minutes=5), Owner())
    reply = await handler.handle(queued)
    assert reply.status == 201, reply.body


async def _book_many(handler: CommandHandler, group_id: UUID, count: int) -> None:
    await asyncio.gather(*(book(handler, group_id, number) for number in range(count)))


async def _book_until(handler: CommandHandler, group_id: UUID, until: float) -> int:
    count = 0
    while time.perf_counter() < until:
        await book(handler, group_id, count)
        count += 1
    return count
