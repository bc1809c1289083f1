"""Customers that call command handlers in this process: for faults that only code can cause."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from typing import TypeAlias
from uuid import UUID, uuid4

import asyncpg

from services.command.commit.clock import DatabaseClock
from services.command.commit.handler import CommandHandler
from services.command.commit.mailbox_cache import MailboxCache
from services.command.commit.queued_command import AnsweredBefore, QueuedCommand
from services.command.commit.reply import Reply
from services.command.rules.commands import Command
from services.command.use_cases.call_context import CallContext
from services.command.use_cases.idempotency import Answers, AnswerStore
from shared.booking_api.errors import ApiError
from shared.domain.events import Event
from shared.domain.group import Group
from shared.eventlog.postgres import PostgresEventStore
from shared.eventlog.privacy import MasterKey
from tests.harness.checker.evidence import Kind, Operation
from tests.harness.checker.history import Answer, History, Wish
from tests.harness.events.group_commands import APP, act, book_seats, create_group, plain
from tests.harness.events.ledger import NOON

Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"
MASTER = MasterKey(b"m" * 32)
NewStore = Callable[[Pool, str], PostgresEventStore]


class InProcessCustomers:
    """Asks one of the handlers, and writes down what it said."""

    def __init__(self, handlers: Sequence[CommandHandler], stores: Sequence[AnswerStore]) -> None:
        self.handlers = handlers
        self.history = History()
        self._answers = [Answers(store, MASTER) for store in stores]

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

    def shared(self, group_id: UUID, seats: int = 1) -> Wish:
        """A booking that several handlers will be asked for, under one Idempotency-Key."""
        return Wish(
            kind="book",
            group_id=group_id,
            command_id=uuid4(),
            booking_id=uuid4(),
            seats=seats,
        )

    async def ask_shared(self, wish: Wish, *at: int) -> Operation:
        """Asks these handlers at once, each of which seals the booking for itself. Every answer
        counts."""
        told = await asyncio.gather(*(self._keyed(wish, n) for n in at))
        answers = [(reply.status, reply.body) for reply in told if reply is not None]
        return self.history.note_answers(wish, answers)

    async def _keyed(self, wish: Wish, at: int) -> Reply | None:
        """The reply of this handler, or the first one that was given; None when nobody knows."""
        answers = self._answers[at]
        context = CallContext(app_id=APP, time_zone="UTC", metadata={}, command_id=wish.command_id)

        def render(group: Group, events: Sequence[Event]) -> Reply:
            return Reply(201, f"{group.current_seats} at {at}".encode())

        queued = context.queued(_sealed_at(wish, at), render)
        queued.seal_answer = answers.sealer(context, None)
        try:
            return await self.handlers[at].handle(queued)
        except AnsweredBefore:
            first = await answers.replay(context)
            assert first is not None, "an answered command has an answer"
            return first
        except ApiError:
            return None

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
                reply = await self.handlers[at].handle(
                    QueuedCommand(command, plain, command_id=command_id)
                )
            except Exception:  # whatever it was, this client does not know what became of it
                return None
            return Answer(reply.status, reply.body, reply.position)

        return await self.history.write(wish, once)


def _sealed_at(wish: Wish, at: int) -> Command:
    assert wish.booking_id is not None
    fields = {"customer_ref": wish.booking_id.bytes, "sealed": f"sealed at {at}".encode()}
    return book_seats(wish.group_id, wish.seats, booking_id=wish.booking_id, **fields)


@asynccontextmanager
async def command_handlers(
    dsn: str,
    count: int = 2,
    new_store: NewStore = PostgresEventStore,
    told: datetime = NOON,
    first_appends_at: str | None = None,
) -> AsyncIterator[InProcessCustomers]:
    """So many command services on one database, without HTTP, and their customers; the first one
    may append by another way."""
    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(asyncpg.create_pool(dsn, min_size=1, max_size=4))
        handlers, stores = [], []
        for number in range(count):
            store = new_store(pool, (first_appends_at if number == 0 else None) or dsn)
            handler = CommandHandler(store, MailboxCache(), DatabaseClock(told))
            stack.push_async_callback(store.close)
            handler.start()
            stack.push_async_callback(handler.stop)
            handlers.append(handler)
            stores.append(store)
        yield InProcessCustomers(handlers, stores)
