"""Routes that write bookings: POST, PUT and DELETE of `/v2/bookings`.

Contract sections 4 and 7.
"""

from __future__ import annotations

from aiohttp import web

from services.command.commit.reply import Reply, ResponseOptions
from services.command.http.bulk import BulkRoutes
from services.command.http.bulk_actions import act_on_all
from services.command.http.fast_lane import CHANGING, SeatsAgain
from services.command.http.replayable import answer_write, replayable
from services.command.http.request_context import (
    answer_of,
    circumstances_of,
    context_of,
    options_of,
)
from services.command.requests.actions import read_action
from services.command.requests.bulk import MAX_BULK_BYTES
from services.command.requests.changes import read_change, read_reschedule
from services.command.requests.new_booking import read_new_booking
from services.command.schedule.double_bookings import DoubleBookings, moved_occupancy
from services.command.use_cases import existing_bookings
from services.command.use_cases.bookings import Bookings
from services.command.use_cases.call_context import CallContext
from shared.booking_api.new_groups import NewGroup
from shared.booking_api.reading.json_body import read_object
from shared.booking_api.reading.request_models import (
    BookingToChange,
    BulkToCreate,
    GroupToCreate,
    SeatsToCreate,
)
from shared.eventlog.privacy import MasterKey
from shared.http.access import for_widgets, refuse_widget_key
from shared.http.fast_lane.repeating import allow_repeating
from shared.http.middleware import read_body
from shared.http.operation import Operation, routes_of
from shared.http.requests.checked import path_id

RESCHEDULE = "/v2/bookings/{id}/reschedule"
ACTION = "/v2/bookings/{id}/{action}"
ACTIONS = (
    "Actions: `cancel`, `complete` (groups); `cancel_by_customer`, `cancel_by_owner`, `complete`, "
    "`pay` (seat bookings). The body may be absent, `{}` or `[]`; details lie under the action's "
    "own name."
)


class BookingRoutes:
    """The write side of `/v2/bookings`."""

    def __init__(
        self, bookings: Bookings, master: MasterKey, double_bookings: DoubleBookings
    ) -> None:
        self._bookings = bookings
        self._master = master
        self._double_bookings = double_bookings
        self._bulk = BulkRoutes(bookings, master, double_bookings)

    def routes(self) -> list[web.RouteDef]:
        return [*self._bulk.routes(), *routes_of(self)]

    @Operation(
        "post",
        "/v2/bookings",
        "createBooking",
        "Open a group, or book seats in one",
        status=201,
        body=(GroupToCreate, SeatsToCreate, BulkToCreate),
        note="Widget keys book seats; opening a group needs a server key.",
    )
    @for_widgets
    async def create(self, request: web.Request) -> web.Response:
        """A group for server keys, seats for every key; many for clients that post a bulk here."""
        body = await read_body(request)
        if b'"bookings"' in body and _is_bulk(body):
            refuse_widget_key(request)
            return await self._bulk.create(request)
        return await answer_write(self, request, body, BookingRoutes._create)

    async def _create(
        self, request: web.Request, body: bytes, context: CallContext, options: ResponseOptions
    ) -> Reply:
        circumstances = circumstances_of(request, context, self._bookings.now())
        new = read_new_booking(body, circumstances)
        if isinstance(new, NewGroup):
            refuse_widget_key(request)
        elif context.command_id is None and not options.includes.children:
            again = SeatsAgain(self._bookings, context, options, circumstances.reading)
            allow_repeating(request, again, CHANGING)
        queued = await self._bookings.prepare(new, context, options)
        if not isinstance(new, NewGroup):
            return await self._bookings.decide(queued, context)
        async with self._double_bookings.kept_out(context.app_id, new):
            return await self._bookings.decide(queued, context)

    @Operation("put", ACTION, "act", "Apply an action", body="Action", note=ACTIONS)
    @Operation("post", ACTION, "actToo", "Apply an action (alias)", body="Action", note=ACTIONS)
    @replayable
    async def act(
        self, request: web.Request, body: bytes, context: CallContext, options: ResponseOptions
    ) -> Reply:
        """`PUT /v2/bookings/{id}/{action}`; POST does the same."""
        action = read_action(request.match_info["action"], body)
        return await act_on_all(self._bookings, path_id(request), action, context, options)

    @Operation(
        "put",
        "/v2/bookings/{id}",
        "changeBooking",
        "Change meta, or a group's number of seats",
        body=(BookingToChange,),
    )
    @replayable
    async def change(
        self, request: web.Request, body: bytes, context: CallContext, options: ResponseOptions
    ) -> Reply:
        """`PUT /v2/bookings/{id}`: meta, a group's number of seats, or both."""
        change = read_change(body)
        return await self._bookings.change(path_id(request), change, context, options)

    @Operation(
        "put", RESCHEDULE, "rescheduleGroup", "Move a group to another time", body="Reschedule"
    )
    @replayable
    async def reschedule(
        self, request: web.Request, body: bytes, context: CallContext, options: ResponseOptions
    ) -> Reply:
        """`PUT /v2/bookings/{group}/reschedule`, an extension."""
        change = read_reschedule(body, circumstances_of(request, context, self._bookings.now()))
        booking = await self._bookings.find(path_id(request), context, options)
        command = existing_bookings.reschedule(booking, change, context)
        queued = context.queued(command, existing_bookings.show(booking, options), booking.key)
        async with self._double_bookings.kept_out(
            context.app_id, moved_occupancy(booking, change, context)
        ):
            return await self._bookings.decide(queued, context)

    @Operation(
        "post",
        RESCHEDULE,
        "refuseReschedule",
        "Not for group graphs: always refused",
        body="Anything",
        also=(f"{RESCHEDULE}/",),
    )
    async def refuse_reschedule(self, request: web.Request) -> web.Response:
        """Timekit's own reschedule is for another graph: 422 (contract section 7)."""
        context, options = context_of(request, b"", self._master), options_of(request)
        queued = await self._bookings.prepare_change(
            path_id(request),
            context,
            options,
            lambda s: existing_bookings.refuse_reschedule(s, context),
        )
        return answer_of(await self._bookings.decide(queued, context))

    @Operation(
        "delete",
        "/v2/bookings/{id}",
        "deleteBooking",
        "Hide an ended booking",
        status=204,
        answers="",
    )
    @replayable
    async def delete(
        self, request: web.Request, body: bytes, context: CallContext, options: ResponseOptions
    ) -> Reply:
        """`DELETE /v2/bookings/{id}`, for an ended booking."""
        queued = await self._bookings.prepare_change(
            path_id(request),
            context,
            options,
            lambda s: existing_bookings.delete(s, context),
            existing_bookings.show_nothing,
        )
        return await self._bookings.decide(queued, context)


def _is_bulk(body: bytes) -> bool:
    """Whether this belongs to `/v2/bookings/bulk`: one client posts it to `/v2/bookings`."""
    value = read_object(body, MAX_BULK_BYTES)
    return "graph" not in value and isinstance(value.get("bookings"), list)
