"""Use cases of bookings: a parsed request becomes a command, is decided, and gets its reply.

HTTP, signed links and due work all come through here, so that none of them has rules of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID

from services.command.commit.atomic import AtomicCommit, Refused
from services.command.commit.handler import CommandHandler
from services.command.commit.queued_command import AnsweredBefore, QueuedCommand
from services.command.commit.reply import Render, Reply, ResponseOptions, refusal_reply
from services.command.requests.changes import Change
from services.command.rules.commands import Command
from services.command.rules.event_fields import Outdated
from services.command.rules.refusals import Refusal, refusals_among
from services.command.use_cases import existing_bookings, new_bookings
from services.command.use_cases.call_context import CallContext
from services.command.use_cases.existing_bookings import ExistingBooking
from services.command.use_cases.idempotency import Answers
from services.command.use_cases.included import IncludedReader
from services.command.use_cases.new_bookings import Owner
from services.command.use_cases.public_terms import TermsOfApps
from services.command.use_cases.views import open_group
from shared.booking_api.errors import IdempotencyKeyExpired, NotFound
from shared.booking_api.new_groups import NewGroup
from shared.booking_api.new_seats import NewSeats
from shared.domain.events import GroupCreated
from shared.eventlog.postgres import PostgresEventStore
from shared.eventlog.privacy import MasterKey
from shared.eventlog.store import BookingHistory

T = TypeVar("T")
MakeCommand = Callable[[ExistingBooking], Command]
NOBODY = Owner()
MAX_ATTEMPTS = 20


class Bookings:
    """Every write of the API: a command is prepared first, then decided; refusals are replies."""

    def __init__(
        self,
        handler: CommandHandler,
        atomic: AtomicCommit,
        store: PostgresEventStore,
        included: IncludedReader,
        master: MasterKey,
        hold: timedelta,
        note: Callable[[Refusal], None],
        terms: TermsOfApps,
        answers: Answers,
    ) -> None:
        self._handler = handler
        self._atomic = atomic
        self._store = store
        self._included = included
        self._master = master
        self._hold = hold
        self.note = note
        self._terms = terms
        self._answers = answers

    def now(self) -> datetime:
        """The time that decisions are made by."""
        return self._handler.now()

    async def replay(self, context: CallContext) -> Reply | None:
        """The first answer to this very request, if it was answered before."""
        return await self._answers.replay(context)

    async def claim(self, context: CallContext) -> bool:
        """Whether this very request of several commands came before; else its key is taken now.

        IdempotencyKeyReused when another request had the key: then nothing of this one is done.
        """
        if context.command_id is None:
            return False
        if await self._atomic.claim(self._answers.claim(context, context.command_id)):
            return False
        await self.replay(context)
        return True

    async def prepare(
        self, new: NewGroup | NewSeats, context: CallContext, options: ResponseOptions
    ) -> QueuedCommand:
        """A new group, or seats in one."""
        if isinstance(new, NewGroup):
            included = await self._included.read(
                context.app_id, UUID(int=0), new.about.project_id, options
            )
            return new_bookings.prepare_group(new, context, options, self._master, included)
        owner = await self._owner(new.owner_booking_id, context, options)
        terms = await self._terms.of(context.app_id) if context.is_public else None
        return new_bookings.prepare_seats(
            new, context, options, self._master, self._hold, owner, terms
        )

    async def prepare_change(
        self,
        booking_id: UUID,
        context: CallContext,
        options: ResponseOptions,
        make: MakeCommand,
        render: Render | None = None,
    ) -> QueuedCommand:
        """Something about a booking that exists; NotFound when it was never booked. The reply shows
        the booking, unless `render` makes another."""
        booking = await self.find(booking_id, context, options)
        render = render or existing_bookings.show(booking, options)
        return context.queued(make(booking), render, booking.key)

    async def prepare_changes(
        self, booking_id: UUID, change: Change, context: CallContext, options: ResponseOptions
    ) -> list[QueuedCommand]:
        """Another number of seats, other meta, or both: a command each."""
        booking = await self.find(booking_id, context, options)
        render = existing_bookings.show(booking, options, over=change.capacity is not None)
        commands: list[Command] = []
        if change.capacity is not None:
            commands.append(existing_bookings.change_capacity(booking, change.capacity, context))
        if change.meta is not None:
            commands.append(existing_bookings.change_meta(booking, change.meta, context))
        if len(commands) == 1:
            return [context.queued(commands[0], render, booking.key)]
        # The last one's reply is the request's, and has its id: so the request's key is known.
        part = context.part(type(commands[0]).__name__)
        return [
            part.queued(commands[0], render, booking.key),
            context.queued(commands[1], render, booking.key),
        ]

    async def change(
        self, booking_id: UUID, change: Change, context: CallContext, options: ResponseOptions
    ) -> Reply:
        """`prepare_changes`, decided: both or neither."""
        return await up_to_date(lambda: self._change(booking_id, change, context, options))

    async def _change(
        self, booking_id: UUID, change: Change, context: CallContext, options: ResponseOptions
    ) -> Reply:
        commands = await self.prepare_changes(booking_id, change, context, options)
        if len(commands) == 1:
            return await self.decide(commands[0], context)
        try:
            return (await self.decide_atomically(commands, context))[-1]
        except Refused as refused:
            return refusal_reply(next(iter(refused.errors.values())))

    async def find(
        self, booking_id: UUID, context: CallContext, options: ResponseOptions
    ) -> ExistingBooking:
        """The booking, from the log; NotFound when it was never booked."""
        history = await self._store.find_booking(booking_id)
        if history is None:
            raise NotFound("Booking")
        if not options.includes.children:
            return existing_bookings.open_booking(history, self._master)
        owner = history
        if history.group_id != booking_id:
            owner = await self._store.find_booking(history.group_id) or history
        project_id = _project_id(owner)
        included = await self._included.read(context.app_id, history.group_id, project_id, options)
        return existing_bookings.open_booking(history, self._master, owner, included)

    async def app_of(self, booking_id: UUID) -> UUID:
        """Whose booking it is; NotFound when it was never booked."""
        history = await self._store.find_booking(booking_id)
        if history is not None and history.group_id != booking_id:
            history = await self._store.find_booking(history.group_id)
        created = None if history is None else history.events[0]
        if not isinstance(created, GroupCreated):
            raise NotFound("Booking")
        return created.app_id

    async def bulked(self, booking: ExistingBooking, ids: Sequence[UUID]) -> list[UUID]:
        """Those of `ids` that were ever booked, without the booking itself."""
        found = await self._store.find_existing(ids)
        return [one for one in found if one != booking.history.booking_id]

    def dated(self, context: CallContext) -> CallContext:
        """The context without a former id, once those are not known any more."""
        if context.former_id is None:
            return context
        known_until = self._answers.former_known_until
        is_known = known_until is not None and self.now() < known_until
        return context if is_known else replace(context, former_id=None)

    async def decide(
        self, queued: QueuedCommand, context: CallContext, is_last: bool = False
    ) -> Reply:
        """The reply, once it is durable; `is_last`: not to be tried again as another's."""
        queued.seal_answer = self._answers.sealer(context, queued.booking_key)
        try:
            # Cancelling only gives up the wait: what is being committed goes on in the appender.
            reply = await self._handler.handle(queued)
        except AnsweredBefore:
            return await self._replayed_or_apart(queued, context, is_last)
        if reply.refusal is not None:
            self.note(reply.refusal)
        return reply

    def begin(
        self, new: NewSeats, context: CallContext, options: ResponseOptions
    ) -> asyncio.Future[Reply] | None:
        """Plain seats, prepared and on their way to be decided: without an idempotency key,
        answered without includes. The reply comes once it is durable; TooBusy when it was not even
        begun, None when the terms of a public key must be read first.
        """
        terms = self._terms.known(context.app_id) if context.is_public else None
        if context.is_public and terms is None:
            return None
        assert context.command_id is None and context.caller_left is not None
        queued = new_bookings.prepare_seats(
            new, context, options, self._master, self._hold, NOBODY, terms
        )
        return self._handler.begin(queued)

    async def decide_atomically(
        self, commands: Sequence[QueuedCommand], context: CallContext
    ) -> list[Reply]:
        """The replies to all commands of one request, once all is durable; Refused when one of
        them is, and nothing happened."""
        contexts = [context.of(queued) for queued in commands]
        for queued, one in zip(commands, contexts, strict=True):
            queued.seal_answer = self._answers.sealer(one, queued.booking_key)
        try:
            return await asyncio.shield(self._atomic.commit(commands))
        except AnsweredBefore:
            return [await self._replayed(one) for one in contexts]
        except Refused as refused:  # perhaps only because all of it happened before
            if await self.replay(contexts[0]) is None:
                for refusal in refusals_among(refused.errors.values()):
                    self.note(refusal)
                raise
            return [await self._replayed(one) for one in contexts]

    async def _replayed_or_apart(
        self, queued: QueuedCommand, context: CallContext, is_last: bool
    ) -> Reply:
        """The first answer. When only a former id was known, and to a key of the other kind, the
        command is decided after all: under no id but its own."""
        reply = await self.replay(context)
        if reply is not None:
            return reply
        if is_last:
            raise IdempotencyKeyExpired from None
        apart = replace(context, former_id=None)
        again = apart.queued(queued.command, queued.render, queued.booking_key)
        return await self.decide(again, apart, is_last=True)

    async def _replayed(self, context: CallContext) -> Reply:
        reply = await self._answers.replay(context)
        if reply is None:
            raise IdempotencyKeyExpired from None
        return reply

    async def _owner(self, group_id: UUID, context: CallContext, options: ResponseOptions) -> Owner:
        if not options.includes.children:
            return NOBODY
        found = await self._store.find_booking(group_id)
        if found is None:
            return NOBODY
        key = found.wrapped_key
        opened = None if key is None else self._master.unwrap(group_id, key)
        included = await self._included.read(context.app_id, group_id, _project_id(found), options)
        return Owner(found.events, open_group(found.events, opened), included)


async def up_to_date(work: Callable[[], Awaitable[T]]) -> T:
    """The work's result; done anew while others change what it was prepared from. Outdated when
    they do so every time."""
    for _ in range(MAX_ATTEMPTS):
        with suppress(Outdated):
            return await work()
    raise Outdated


def _project_id(owner: BookingHistory) -> UUID | None:
    created = owner.events[0]
    return created.project_id if isinstance(created, GroupCreated) else None
