"""The booking desk: takes a parsed request, finds what it is about, and gets it decided.

HTTP, links and timers all come through here, so that none of them has rules of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from services.command import acting, creating
from services.command.acting import Subject
from services.command.commands import Command
from services.command.handler import CommandHandler
from services.command.idempotency import Answers
from services.command.intent import Intent
from services.command.pending import AnsweredBefore
from services.command.reply import Render, Reply, Shown
from shared.booking_api.actions import Action
from shared.booking_api.changes import CapacityChange, Reschedule
from shared.booking_api.errors import IdempotencyKeyExpired, NotFound
from shared.booking_api.new_groups import NewGroup
from shared.booking_api.new_seats import NewSeats
from shared.domain.events import JsonObject
from shared.eventlog.privacy import BookingKey, MasterKey
from shared.eventlog.store import EventStore

Prepare = Callable[[Subject], tuple[Command, Render]]


class BookingDesk:
    """Every write of the API as one method; refusals come back as replies."""

    def __init__(
        self, handler: CommandHandler, store: EventStore, master: MasterKey, hold: timedelta
    ) -> None:
        self._handler = handler
        self._store = store
        self._master = master
        self._hold = hold
        self._answers = Answers(store, master)

    def now(self) -> datetime:
        """The time that decisions are made by."""
        return self._handler.now()

    async def replay(self, intent: Intent) -> Reply | None:
        """The first answer to this very request, if it was answered before."""
        return await self._answers.replay(intent)

    async def create(self, new: NewGroup | NewSeats, intent: Intent, shown: Shown) -> Reply:
        """A new group, or seats in one."""
        if isinstance(new, NewGroup):
            ready = creating.prepare_group(new, intent, shown, self._master)
        else:
            owner = None
            if shown.includes.children:
                found = await self._store.find_booking(new.owner_booking_id)
                owner = None if found is None else acting.open_subject(found, self._master).owner
            ready = creating.prepare_seats(new, intent, shown, self._master, self._hold, owner)
        return await self._decided(ready.command, ready.render, intent, ready.key)

    async def act(self, booking_id: UUID, action: Action, intent: Intent, shown: Shown) -> Reply:
        """An action of the booking's graph."""
        return await self._change(
            booking_id,
            intent,
            shown,
            lambda s: (acting.act(s, action, intent), acting.show(s, shown)),
        )

    async def change_meta(
        self, booking_id: UUID, meta: JsonObject, intent: Intent, shown: Shown
    ) -> Reply:
        """Meta keys set or removed."""
        return await self._change(
            booking_id,
            intent,
            shown,
            lambda s: (acting.change_meta(s, meta, intent), acting.show(s, shown)),
        )

    async def change_capacity(
        self, booking_id: UUID, change: CapacityChange, intent: Intent, shown: Shown
    ) -> Reply:
        """Another number of seats."""
        return await self._change(
            booking_id,
            intent,
            shown,
            lambda s: (acting.change_capacity(s, change, intent), acting.show(s, shown)),
        )

    async def reschedule(
        self, booking_id: UUID, change: Reschedule, intent: Intent, shown: Shown
    ) -> Reply:
        """Another time."""
        return await self._change(
            booking_id,
            intent,
            shown,
            lambda s: (acting.reschedule(s, change, intent), acting.show(s, shown)),
        )

    async def delete(self, booking_id: UUID, intent: Intent, shown: Shown) -> Reply:
        """An ended booking hidden."""
        return await self._change(
            booking_id, intent, shown, lambda s: (acting.delete(s, intent), acting.show_nothing)
        )

    async def find(self, booking_id: UUID, shown: Shown) -> Subject:
        """The booking, from the log; NotFound when it was never booked."""
        history = await self._store.find_booking(booking_id)
        if history is None:
            raise NotFound("Booking")
        owner = None
        if shown.includes.children and history.group_id != booking_id:
            owner = await self._store.find_booking(history.group_id)
        return acting.open_subject(history, self._master, owner)

    async def _change(
        self, booking_id: UUID, intent: Intent, shown: Shown, prepare: Prepare
    ) -> Reply:
        subject = await self.find(booking_id, shown)
        command, render = prepare(subject)
        return await self._decided(command, render, intent, subject.key)

    async def _decided(
        self, command: Command, render: Render, intent: Intent, key: BookingKey | None
    ) -> Reply:
        seal = self._answers.sealer(intent, lambda: key)
        try:
            # Cancelling only gives up the wait: what is being committed goes on in the appender.
            return await self._handler.handle(
                command, render, intent.command_id, seal, intent.caller_left
            )
        except AnsweredBefore:
            reply = await self._answers.replay(intent)
            if reply is None:
                raise IdempotencyKeyExpired from None
            return reply
