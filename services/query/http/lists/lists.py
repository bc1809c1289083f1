"""GET of lists: all bookings, and the groups that can be booked; as fresh as single ones.

Contract sections 5.2, 5.4, 5.5 and 5.6. A list waits until the log, as it was when it was asked,
is projected. The app's groups that are set aside are left out, and `Seatledger-Parked` says how
many. With related seat bookings it is sent as it is read, never whole in memory.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from aiohttp import web
from pydantic_core import to_json

from services.query.http.lists.group_stream import Render, stream_json
from services.query.http.lists.list_query import ListQuery, list_of_bookings, list_of_groups
from services.query.http.lists.list_stream import ListOptions, streamed_list
from services.query.http.lists.paging import PageRequest, envelope, read_page
from services.query.http.request_options import (
    filters_of,
    freshness_headers,
    includes_of,
    min_position_of,
    prefers_stale,
    reading_for,
    rendering_for,
)
from services.query.projection.parked_groups import parked_of_app
from services.query.projection.read_models import attendees
from services.query.reads.fresh_reads import FreshReads
from services.query.reads.included import IncludedReader
from services.query.reads.related_seats import group_views, needs_more, snapshot
from services.query.reads.streams import Streams
from shared.booking_api.rendering.bookings import render_booking, render_group
from shared.booking_api.rendering.views import BookingView, GroupView
from shared.eventlog.statements import statements_of
from shared.http.access import for_widgets, identity_of
from shared.http.answers import raw_json_answer
from shared.http.operation import Operation, routes_of
from shared.http.requests.addresses import base_url, own_url
from shared.http.requests.checked import query_of
from shared.runtime.postgres import Connection, Pool

sql = statements_of(__package__)

PARKED = "Seatledger-Parked"

OPTIONS = ("limit", "page", "search", "include", "orderBy", "sortedBy", "start", "end")


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a list, all of one moment; `position` is how far that was projected."""

    views: Sequence[BookingView]
    total: int
    position: int
    age_seconds: float
    parked: int


class BookingLists:
    """The read side of many bookings."""

    def __init__(
        self, reads: FreshReads, pool: Pool, streams: Streams, included: IncludedReader
    ) -> None:
        self._reads = reads
        self._pool = pool
        self._streams = streams
        self._included = included

    def routes(self) -> list[web.RouteDef]:
        return routes_of(self)

    @Operation(
        "get", "/v2/bookings", "listBookings", "All bookings", answers="BookingList", query=OPTIONS
    )
    async def bookings(self, request: web.Request) -> web.StreamResponse:
        """`GET /v2/bookings`: groups and seat bookings, the newest first."""
        page = read_page(query_of(request), reading_for(request))
        filters = filters_of(request)
        query = list_of_bookings(identity_of(request).app_id, page, filters)
        return await self._answer(request, page, query, render_booking)

    @Operation(
        "get",
        "/v2/bookings/groups",
        "listGroups",
        "The groups that can be booked now",
        answers="BookingList",
        query=OPTIONS,
    )
    @for_widgets
    async def groups(self, request: web.Request) -> web.StreamResponse:
        """`GET /v2/bookings/groups`: what can be booked now, the next first."""
        page = read_page(
            query_of(request), reading_for(request), order_by="start", descending=False
        )
        filters = filters_of(request)
        query = list_of_groups(identity_of(request).app_id, page, filters)
        return await self._answer(request, page, query, render_group)

    async def _answer(
        self, request: web.Request, page_request: PageRequest, query: ListQuery, render: Render
    ) -> web.StreamResponse:
        includes, rendering = includes_of(request), rendering_for(request)
        await self._until_fresh(request)
        if needs_more(includes):
            options = ListOptions(request, includes, rendering, render)
            return await self._stream(page_request, query, options)
        async with snapshot(self._pool) as connection:
            page = await _read(connection, query)
        included = await self._included.read(query.app_id, base_url(request), includes, page.views)
        data = [render(view, includes, rendering, included) for view in page.views]
        shape = envelope(data, page.total, page_request, own_url(request), query_of(request))
        return raw_json_answer(to_json(shape), headers=_headers(page, prefers_stale(request)))

    async def _stream(
        self, page_request: PageRequest, query: ListQuery, options: ListOptions
    ) -> web.StreamResponse:
        request = options.request
        async with self._streams.snapshot(query.app_id) as connection:
            page = await _read(connection, query)
            url, missing = own_url(request), [None] * len(page.views)
            shape = envelope(missing, page.total, page_request, url, query_of(request))
            chunks = _enveloped(
                streamed_list(connection, self._included, page.views, options), shape
            )
            headers = _headers(page, prefers_stale(request))
            return await stream_json(request, chunks, headers)

    async def _until_fresh(self, request: web.Request) -> None:
        least = min_position_of(request)
        if least:
            await self._reads.until_written(least)
        if not prefers_stale(request):
            await self._reads.until_projected()
        elif least:
            await self._reads.until_projected(least)


async def _read(connection: Connection, query: ListQuery) -> Page:
    statement, parameters = query.build()
    state = await connection.fetchrow(sql("list_state"), query.app_id)
    found = await connection.fetchrow(statement, *parameters)
    if state is None or found is None:
        raise LookupError("a list has one row")
    ids: Sequence[UUID] = found["bookings"]
    views = await _views(connection, ids)
    parked = state["parked"]
    if state["parked_at_first"]:
        parked += await parked_of_app(connection, query.app_id, state["parked_at_first"])
    age = float(state["age_seconds"])
    return Page(views, found["total"], state["position"], age, parked)


async def _views(connection: Connection, ids: Sequence[UUID]) -> list[BookingView]:
    """The bookings in the order of their ids."""
    seats = await attendees.load(connection, ids) if ids else {}
    wanted = {booking for booking in ids if booking not in seats}
    wanted.update(seat.group_id for seat in seats.values())
    owners: Mapping[UUID, GroupView] = await group_views(connection, wanted) if wanted else {}
    views: list[BookingView] = []
    for booking_id in ids:
        seat = seats.get(booking_id)
        views.append(
            owners[booking_id] if seat is None else attendees.view(seat, owners[seat.group_id])
        )
    return views


async def _enveloped(
    chunks: AsyncIterator[bytes], shape: Mapping[str, object]
) -> AsyncIterator[bytes]:
    """The envelope, with the chunks in the place of its `data`."""
    yield b'{"data":['
    async for chunk in chunks:
        yield chunk
    rest = {name: value for name, value in shape.items() if name != "data"}
    yield b"]," + to_json(rest)[1:]


def _headers(page: Page, stale: bool) -> dict[str, str]:
    headers = freshness_headers(page.position, page.age_seconds if stale else None)
    if page.parked:
        headers[PARKED] = str(page.parked)
    return headers
