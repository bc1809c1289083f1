"""`DELETE /v2/bookings/{id}/customer`: a person's data becomes unreadable for ever (decision 0009).

The ledger drops the key together with the event; what read models and answers still show goes
before the reply. Asked again, it does the same again and answers the same.
"""

from __future__ import annotations

from uuid import UUID

import asyncpg
from aiohttp import web

from services.command.commit.reply import Reply, Shown
from services.command.http.replayable import replayable
from services.command.rules.commands import EraseCustomer
from services.command.use_cases.bookings import BookingDesk
from services.command.use_cases.call_context import Intent
from services.command.use_cases.existing_bookings import Subject, show_nothing
from shared.booking_api.errors import NotFound
from shared.booking_api.reading.timestamps import UTC_ZONE, Rendering
from shared.booking_api.rendering.includes import NOTHING
from shared.domain.events import CustomerErased
from shared.eventlog.erasure import scrub
from shared.eventlog.privacy import MasterKey
from shared.http.requests.checked import path_id

_PLAIN = Shown(NOTHING, Rendering(UTC_ZONE))


class ErasureRoutes:
    """Erasing over HTTP, for server keys."""

    def __init__(
        self, desk: BookingDesk, master: MasterKey, pool: asyncpg.Pool[asyncpg.Record]
    ) -> None:
        self._desk = desk
        self._master = master
        self._pool = pool

    def routes(self) -> list[web.RouteDef]:
        return [web.delete("/v2/bookings/{id}/customer", self.erase)]

    @replayable(lambda _: _PLAIN)
    async def erase(self, request: web.Request, body: bytes, intent: Intent, shown: Shown) -> Reply:
        """204, in any state of the booking; 404 for another app's."""
        subject = await self._desk.find(path_id(request), intent, shown)
        reply = await self._erased(subject, intent)
        if reply.status == 204:
            history = subject.history
            await scrub(self._pool, history.booking_id, history.group_id)
        return reply

    async def _erased(self, subject: Subject, intent: Intent) -> Reply:
        booking_id = subject.history.booking_id
        if not is_erased(subject):
            command = _command(subject, booking_id, intent)
            return await self._desk.decide(intent.queued(command, show_nothing), intent)
        if await self._desk.app_of(booking_id) != intent.app_id:
            raise NotFound("Booking")
        return Reply(204, b"")


def is_erased(subject: Subject) -> bool:
    """Whether the log says that the booking's customer was erased."""
    return any(isinstance(event, CustomerErased) for event in subject.history.events)


def _command(subject: Subject, booking_id: UUID, intent: Intent) -> EraseCustomer:
    group_id = subject.history.group_id
    return EraseCustomer(
        app_id=intent.app_id, group_id=group_id, booking_id=booking_id, metadata=intent.metadata
    )
