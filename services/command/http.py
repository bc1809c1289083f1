"""POST, PUT and DELETE: a request becomes a booking-desk call, its reply an answer.

Contract sections 4 and 7.
"""

from __future__ import annotations

from uuid import UUID

from aiohttp import web

from services.command.desk import BookingDesk
from services.command.intent import Intent, command_id_of
from services.command.reply import Reply, Shown
from shared.booking_api.actions import read_action
from shared.booking_api.changes import read_change, read_reschedule
from shared.booking_api.circumstances import Circumstances
from shared.booking_api.errors import NotFound, NotReschedulable
from shared.booking_api.includes import parse_includes
from shared.booking_api.new_groups import NewGroup
from shared.booking_api.requests import read_new_booking
from shared.booking_api.timestamps import UTC_ZONE, find_zone, reading_of, rendering_of
from shared.eventlog.privacy import MasterKey
from shared.http.access import for_widgets, identity_of, refuse_widget_key
from shared.http.answers import raw_json_answer
from shared.http.middleware import read_body, request_id_of

IDEMPOTENCY_KEY = "Idempotency-Key"


class BookingRoutes:
    """The write side of `/v2/bookings`."""

    def __init__(self, desk: BookingDesk, master: MasterKey) -> None:
        self._desk = desk
        self._master = master

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/v2/bookings", self.create),
            web.put("/v2/bookings/{id}", self.change),
            web.delete("/v2/bookings/{id}", self.delete),
            web.put("/v2/bookings/{id}/reschedule", self.reschedule),
            web.post("/v2/bookings/{id}/reschedule", self.refuse_reschedule),
            web.post("/v2/bookings/{id}/reschedule/", self.refuse_reschedule),
            web.put("/v2/bookings/{id}/{action}", self.act),
            web.post("/v2/bookings/{id}/{action}", self.act),
        ]

    @for_widgets
    async def create(self, request: web.Request) -> web.Response:
        """A group for server keys, seats for every key."""
        body = await read_body(request)
        intent = self._intent(request, body)
        if (replayed := await self._desk.replay(intent)) is not None:
            return _answer(replayed)
        zone = find_zone(intent.time_zone) or UTC_ZONE
        reading = reading_of(request.headers, request.query, zone)
        new = read_new_booking(body, Circumstances(self._desk.now(), intent.time_zone, reading))
        if isinstance(new, NewGroup):
            refuse_widget_key(request)
        return _answer(await self._desk.create(new, intent, _shown(request)))

    async def act(self, request: web.Request) -> web.Response:
        """`PUT /v2/bookings/{id}/{action}`; POST does the same."""
        body = await read_body(request)
        intent = self._intent(request, body)
        if (replayed := await self._desk.replay(intent)) is not None:
            return _answer(replayed)
        action = read_action(request.match_info["action"], body)
        return _answer(await self._desk.act(_booking_id(request), action, intent, _shown(request)))

    async def change(self, request: web.Request) -> web.Response:
        """`PUT /v2/bookings/{id}`: meta, or a group's number of seats."""
        body = await read_body(request)
        intent = self._intent(request, body)
        if (replayed := await self._desk.replay(intent)) is not None:
            return _answer(replayed)
        change, shown, booking_id = read_change(body), _shown(request), _booking_id(request)
        if change.capacity is not None:
            capacity = change.capacity
            return _answer(await self._desk.change_capacity(booking_id, capacity, intent, shown))
        return _answer(await self._desk.change_meta(booking_id, change.meta or {}, intent, shown))

    async def reschedule(self, request: web.Request) -> web.Response:
        """`PUT /v2/bookings/{group}/reschedule`, an extension."""
        body = await read_body(request)
        intent = self._intent(request, body)
        if (replayed := await self._desk.replay(intent)) is not None:
            return _answer(replayed)
        zone = find_zone(intent.time_zone) or UTC_ZONE
        reading = reading_of(request.headers, request.query, zone)
        change = read_reschedule(body, Circumstances(self._desk.now(), intent.time_zone, reading))
        return _answer(
            await self._desk.reschedule(_booking_id(request), change, intent, _shown(request))
        )

    async def refuse_reschedule(self, request: web.Request) -> web.Response:
        """Timekit's own reschedule is for another graph: 422 (contract section 7)."""
        subject = await self._desk.find(_booking_id(request), _shown(request))
        raise NotReschedulable(subject.graph)

    async def delete(self, request: web.Request) -> web.Response:
        """`DELETE /v2/bookings/{id}`, for an ended booking."""
        intent = self._intent(request, await read_body(request))
        if (replayed := await self._desk.replay(intent)) is not None:
            return _answer(replayed)
        return _answer(await self._desk.delete(_booking_id(request), intent, _shown(request)))

    def _intent(self, request: web.Request, body: bytes) -> Intent:
        identity = identity_of(request)
        command_id = command_id_of(identity.app_id, request.headers.get(IDEMPOTENCY_KEY))
        hashed = b""
        if command_id is not None:
            line = f"{request.method} {request.path_qs}\n".encode()
            hashed = self._master.keyed_hash("request", line + body)
        return Intent(
            app_id=identity.app_id,
            time_zone=identity.time_zone,
            metadata={"actor": f"key:{identity.key_id}", "request_id": request_id_of(request)},
            command_id=command_id,
            request_hash=hashed,
            caller_left=None if request.transport is None else request.transport.is_closing,
        )


def _booking_id(request: web.Request) -> UUID:
    try:
        return UUID(request.match_info["id"])
    except ValueError:
        raise NotFound("Booking") from None


def _shown(request: web.Request) -> Shown:
    zone = find_zone(identity_of(request).time_zone) or UTC_ZONE
    query = request.query
    return Shown(parse_includes(query.get("include")), rendering_of(request.headers, query, zone))


def _answer(reply: Reply) -> web.Response:
    position = {} if reply.position is None else {"Seatledger-Position": str(reply.position)}
    if reply.status == 204:
        return web.Response(status=204, headers=position)
    return raw_json_answer(reply.body, reply.status, position)
