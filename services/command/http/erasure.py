"""`DELETE /v2/bookings/{id}/customer`: erases a customer for ever (decision 0009).

The ledger drops the key together with the event; what read models and answers still show goes
before the reply. Asked again, it does the same again and answers the same.
"""

from __future__ import annotations

from functools import partial
from uuid import UUID

from aiohttp import web

from services.command.commit.reply import Reply, ResponseOptions
from services.command.http.replayable import replayable
from services.command.rules.commands import EraseCustomer
from services.command.use_cases.bookings import Bookings
from services.command.use_cases.call_context import CallContext
from services.command.use_cases.existing_bookings import ExistingBooking, show_nothing
from shared.booking_api.errors import NotFound
from shared.booking_api.reading.timestamps import UTC_ZONE, Rendering
from shared.booking_api.rendering.includes import NOTHING
from shared.domain.events import CustomerErased
from shared.eventlog.erasure import scrub
from shared.eventlog.privacy import MasterKey
from shared.http.operation import Operation, routes_of
from shared.http.requests.checked import path_id
from shared.runtime.postgres import Pool

_PLAIN = ResponseOptions(NOTHING, Rendering(UTC_ZONE))


class ErasureRoutes:
    """Erasing over HTTP, for server keys."""

    def __init__(self, bookings: Bookings, master: MasterKey, pool: Pool) -> None:
        self._bookings = bookings
        self._master = master
        self._pool = pool

    def routes(self) -> list[web.RouteDef]:
        return routes_of(self)

    @Operation(
        "delete",
        "/v2/bookings/{id}/customer",
        "eraseCustomer",
        "Make a booking's personal data unreadable for ever",
        status=204,
        answers="",
    )
    @partial(replayable, show=lambda _: _PLAIN)
    async def erase(
        self, request: web.Request, body: bytes, context: CallContext, options: ResponseOptions
    ) -> Reply:
        """204, in any state of the booking; 404 for another app's."""
        booking = await self._bookings.find(path_id(request), context, options)
        reply = await self._erased(booking, context)
        if reply.status == 204:
            history = booking.history
            await scrub(self._pool, history.booking_id, history.group_id)
        return reply

    async def _erased(self, booking: ExistingBooking, context: CallContext) -> Reply:
        booking_id = booking.history.booking_id
        if not is_erased(booking):
            command = _command(booking, booking_id, context)
            return await self._bookings.decide(context.queued(command, show_nothing), context)
        if await self._bookings.app_of(booking_id) != context.app_id:
            raise NotFound("Booking")
        return Reply(204, b"")


def is_erased(booking: ExistingBooking) -> bool:
    """Whether the log says that the booking's customer was erased."""
    return any(isinstance(event, CustomerErased) for event in booking.history.events)


def _command(booking: ExistingBooking, booking_id: UUID, context: CallContext) -> EraseCustomer:
    group_id = booking.history.group_id
    return EraseCustomer(
        app_id=context.app_id, group_id=group_id, booking_id=booking_id, metadata=context.metadata
    )
