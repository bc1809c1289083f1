"""Customers of command handlers in this very process: for faults that only code can bring about."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from typing import TypeAlias
from uuid import UUID, uuid4

import asyncpg

from services.command.cache import MailboxCache
from services.command.clock import DatabaseClock
from services.command.commands import Command
from services.command.handler import CommandHandler
from shared.eventlog.postgres import PostgresEventStore
from shared.eventlog.store import EventStore
from tests.harness.checker.evidence import Kind, Operation
from tests.harness.group_commands import act, book_seats, create_group, plain
from tests.harness.history import Answer, History, Wish
from tests.harness.ledger import NOON

Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"
NewStore = Callable[[Pool, str], EventStore]


class DeskCustomers:
    """Asks one of the handlers, and writes down what it said."""

    def __init__(self, handlers: Sequence[CommandHandler]) -> None:
        self.handlers = handlers
        self.history = History()

    async def create_group(self, max_seats: int, at: int = 0) -> UUID:
        command = create_group(max_seats)
        await self.ask("create", command, command.booking_id, at)
        return command.group_id

    async def book(self, group_id: UUID, at: int = 0, seats: int = 1) -> Operation:
        command = book_seats(group_id, seats)
        return await self.ask("book", command, command.booking_id, at, seats)

    async def cancel(self, group_id: UUID, booking_id: UUID, at: int = 0) -> Operation:
        command = act(group_id, booking_id, "cancel_by_customer")
        return await self.ask("cancel", command, booking_id, at)

    async def rush(self, group_id: UUID, bookings: int) -> None:
        """So many bookings at once, at the first two handlers in turn."""
        turns = (n % min(len(self.handlers), 2) for n in range(bookings))
        await asyncio.gather(*(self.book(group_id, turn) for turn in turns))

    async def ask(
        self, kind: Kind, command: Command, about: UUID, at: int = 0, seats: int = 1
    ) -> Operation:
        command_id = uuid4()
        wish = Wish(
            kind=kind,
            group_id=command.group_id,
            command_id=command_id,
            booking_id=about,
            seats=seats,
        )

        async def once() -> Answer | None:
            try:
                reply = await self.handlers[at].handle(command, plain, command_id)
            except Exception:  # whatever it was, this client does not know what became of it
                return None
            return Answer(reply.status, reply.body, reply.position)

        return await self.history.write(wish, once)


@asynccontextmanager
async def desk(
    dsn: str,
    count: int = 2,
    new_store: NewStore = PostgresEventStore,
    told: datetime = NOON,
) -> AsyncIterator[DeskCustomers]:
    """So many command services on one database, without HTTP, and their customers."""
    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(asyncpg.create_pool(dsn, min_size=1, max_size=4))
        handlers = []
        for _ in range(count):
            store = new_store(pool, dsn)
            handler = CommandHandler(store, MailboxCache(), DatabaseClock(told))
            if isinstance(store, PostgresEventStore):
                stack.push_async_callback(store.close)
            handler.start()
            stack.push_async_callback(handler.stop)
            handlers.append(handler)
        yield DeskCustomers(handlers)
