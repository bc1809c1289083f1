"""GET and HEAD of single bookings and groups: fresh by default, whichever process answers.

Contract sections 5.1, 5.3 and 6.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aiohttp import web

from services.query.http.fast_lane import GroupAgain, plain_group
from services.query.http.lists.group_stream import can_be_streamed, stream_group
from services.query.http.request_options import (
    body_of,
    freshness_headers,
    includes_of,
    min_position_of,
    prefers_stale,
    reading_for,
    rendering_for,
)
from services.query.http.visible import visible
from services.query.projection.read_models import attendees
from services.query.projection.read_models.attendees import SeatRow
from services.query.reads.as_of import group_as_of, read_as_of
from services.query.reads.fresh_reads import FreshBooking, FreshReads
from services.query.reads.included import NO_SEATS, IncludedReader
from services.query.reads.included_size import Seats
from services.query.reads.related_seats import group_views, needs_more, related_seats, snapshot
from services.query.reads.streams import Streams
from shared.booking_api.errors import NotFound
from shared.booking_api.rendering.bookings import render_booking, render_group
from shared.booking_api.rendering.includes import Includes
from shared.booking_api.rendering.views import BookingView, GroupView, IncludedData
from shared.eventlog.privacy import MasterKey
from shared.http.access import for_widgets, identity_of
from shared.http.answers import raw_json_answer
from shared.http.fast_lane.repeating import allow_repeating
from shared.http.operation import Operation, routes_of
from shared.http.requests.addresses import base_url
from shared.http.requests.checked import path_id, query_of
from shared.runtime.postgres import Pool

Render = Callable[..., dict[str, Any]]

AS_OF = ("include", "as_of")


class SingleBookings:
    """The read side of one booking or group."""

    def __init__(
        self,
        reads: FreshReads,
        pool: Pool,
        streams: Streams,
        included: IncludedReader,
        master: MasterKey,
    ) -> None:
        self._master = master
        self._reads = reads
        self._pool = pool
        self._streams = streams
        self._included = included

    def routes(self) -> list[web.RouteDef]:
        return routes_of(self)

    @Operation(
        "get", "/v2/bookings/groups/{id}", "getGroup", "A group with its seat count", query=AS_OF
    )
    @Operation("get", "/v2/bookings/group/{id}", "getGroupToo", "A group (alias)", query=AS_OF)
    @Operation("get", "/v2/bookings/{id}/groups", "getGroupOld", "A group (old alias)", query=AS_OF)
    @for_widgets
    async def group(self, request: web.Request) -> web.StreamResponse:
        """`GET /v2/bookings/groups/{id}`: a group with its seat count, whatever its state."""
        found = await self._find_group(request)
        if request.query_string:
            return await self._answer(request, found, render_group)
        return self._plain_group(request, found)

    def _plain_group(self, request: web.Request, found: FreshBooking) -> web.Response:
        row, rendering = found.group.row, rendering_for(request)
        if not min_position_of(request):
            again = GroupAgain(
                self._reads, row.group_id, row.app_id, rendering, prefers_stale(request)
            )
            allow_repeating(request, again, _headers(request, found))
        return _plain(request, found, plain_group(found.group, rendering))

    @Operation("get", "/v2/bookings/{id}", "getBooking", "A group or a seat booking", query=AS_OF)
    async def booking(self, request: web.Request) -> web.StreamResponse:
        """`GET /v2/bookings/{id}`: a group or a seat booking."""
        return await self._answer(request, await self._find_booking(request), render_booking)

    async def _answer(
        self, request: web.Request, found: FreshBooking, render: Render
    ) -> web.StreamResponse:
        includes, rendering = includes_of(request), rendering_for(request)
        if moment := query_of(request).get("as_of"):
            view, seats = await self._as_of(request, found, includes, moment)
            included = await self._read_included(request, includes, view, seats)
            return _plain(request, found, body_of(render(view, includes, rendering, included)))
        if found.seat is None and can_be_streamed(includes):
            await self._reads.until_projected(found.group.position)
            headers, group_id = _headers(request, found), found.group.row.group_id
            return await stream_group(
                request, self._streams, group_id, includes, rendering, render, headers
            )
        owner, seats = await self._with_seats(found, includes)
        view = _view(owner, found.seat)
        included = await self._read_included(request, includes, view, seats)
        return _plain(request, found, body_of(render(view, includes, rendering, included)))

    async def _read_included(
        self, request: web.Request, includes: Includes, view: BookingView, seats: Seats
    ) -> IncludedData:
        app_id = identity_of(request).app_id
        return await self._included.read(app_id, base_url(request), includes, [view], seats)

    async def _as_of(
        self, request: web.Request, found: FreshBooking, includes: Includes, text: str
    ) -> tuple[BookingView, Seats]:
        """The booking as it was, and the seat bookings beside it."""
        point, group_id = read_as_of(text, reading_for(request)), found.group.row.group_id
        own = [] if found.seat is None else [found.seat.booking_id]
        wanted = None if needs_more(includes) else own
        async with snapshot(self._pool) as connection:
            owner, seats = await group_as_of(connection, self._master, group_id, point, wanted)
        if found.seat is not None and found.seat.booking_id not in seats:
            raise NotFound
        related = [attendees.view(seat, owner) for seat in seats.values() if not seat.deleted]
        view = _view(owner, None if found.seat is None else seats[found.seat.booking_id])
        return view, {group_id: related}

    async def _find_group(self, request: web.Request) -> FreshBooking:
        group_id, least = path_id(request), min_position_of(request)
        if prefers_stale(request):
            stale = self._reads.stale_group(group_id)
            if stale is not None and stale.head >= least:
                return visible(request, stale)
        if least:
            await self._reads.until_written(least)
        return visible(request, await self._reads.group(group_id))

    async def _find_booking(self, request: web.Request) -> FreshBooking:
        booking_id, least = path_id(request), min_position_of(request)
        if least:
            await self._reads.until_written(least)
        return visible(request, await self._reads.booking(booking_id))

    async def _with_seats(self, found: FreshBooking, includes: Includes) -> tuple[GroupView, Seats]:
        """The group and its seat bookings, if they are included: of one moment, not before
        `found`."""
        owner = found.group.view
        if includes.anywhere("bulked_bookings"):  # they may be of any group
            await self._reads.until_projected()
        if not needs_more(includes):
            return owner, NO_SEATS
        await self._reads.until_projected(found.group.position)
        async with snapshot(self._pool) as connection:
            owners = await group_views(connection, [owner.id])
            return owners[owner.id], await related_seats(connection, owners)


def _view(owner: GroupView, seat: SeatRow | None) -> BookingView:
    return owner if seat is None else attendees.view(seat, owner)


def _headers(request: web.Request, found: FreshBooking) -> dict[str, str]:
    return freshness_headers(found.head, found.age_seconds if prefers_stale(request) else None)


def _plain(request: web.Request, found: FreshBooking, body: bytes) -> web.Response:
    return raw_json_answer(body, headers=_headers(request, found))
