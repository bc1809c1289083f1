"""GET of lists: all bookings, and the groups that can be booked; as fresh as single ones.

Contract sections 5.2, 5.4, 5.5 and 5.6. A list waits until the log, as it was when it was asked,
is projected. Groups that are set aside are left out, and `Seatledger-Parked` says how many.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from aiohttp import web
from pydantic_core import to_json

from services.query.around import OutsideReads
from services.query.asking import (
    freshness_headers,
    includes_of,
    min_position_of,
    prefers_stale,
    reading_for,
    rendering_for,
)
from services.query.connection import Connection, Pool
from services.query.freshness import FreshReads
from services.query.listing import ListQuery, list_of_bookings, list_of_groups
from services.query.projection import sql
from services.query.read_models import attendees
from services.query.surroundings import group_views, snapshot, surroundings
from shared.booking_api.bookings import render_booking, render_group
from shared.booking_api.includes import Includes
from shared.booking_api.paging import PageRequest, envelope, read_page
from shared.booking_api.search import parse_search
from shared.booking_api.views import BookingView, GroupView, Surroundings
from shared.http.access import for_widgets, identity_of
from shared.http.answers import raw_json_answer

PARKED = "Seatledger-Parked"
Render = Callable[..., dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a list, all of one moment; `position` is how far that was projected."""

    views: Sequence[BookingView]
    around: Surroundings
    total: int
    position: int
    age_seconds: float
    parked: int


class BookingLists:
    """The read side of many bookings."""

    def __init__(self, reads: FreshReads, pool: Pool, outside: OutsideReads) -> None:
        self._reads = reads
        self._pool = pool
        self._outside = outside

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/v2/bookings/groups", self.groups), web.get("/v2/bookings", self.bookings)]

    async def bookings(self, request: web.Request) -> web.Response:
        """`GET /v2/bookings`: groups and seat bookings, the newest first."""
        page = read_page(request.query, reading_for(request))
        filters = parse_search(request.query.get("search"))
        query = list_of_bookings(identity_of(request).app_id, page, filters)
        return await self._answer(request, page, query, render_booking)

    @for_widgets
    async def groups(self, request: web.Request) -> web.Response:
        """`GET /v2/bookings/groups`: what can be booked now, the next first."""
        page = read_page(request.query, reading_for(request), order_by="start", descending=False)
        filters = parse_search(request.query.get("search"))
        query = list_of_groups(identity_of(request).app_id, page, filters)
        return await self._answer(request, page, query, render_group)

    async def _answer(
        self, request: web.Request, asked: PageRequest, query: ListQuery, render: Render
    ) -> web.Response:
        includes, rendering = includes_of(request), rendering_for(request)
        await self._until_fresh(request)
        async with snapshot(self._pool) as connection:
            page = await _read(connection, query, includes)
        around = await self._outside.added(request, includes, page.views, page.around)
        data = [render(view, includes, rendering, around) for view in page.views]
        url = str(request.url.with_query(None))
        body = to_json(envelope(data, page.total, asked, url, request.query))
        return raw_json_answer(body, headers=_headers(page, prefers_stale(request)))

    async def _until_fresh(self, request: web.Request) -> None:
        least = min_position_of(request)
        if least:
            await self._reads.until_written(least)
        if not prefers_stale(request):
            await self._reads.until_projected()
        elif least:
            await self._reads.until_projected(least)


async def _read(connection: Connection, query: ListQuery, includes: Includes) -> Page:
    statement, parameters = query.build()
    state = await connection.fetchrow(sql("list_state"))
    found = await connection.fetchrow(statement, *parameters)
    if state is None or found is None:
        raise LookupError("a list has one row")
    ids: Sequence[UUID] = found["bookings"]
    views, owners = await _views(connection, ids)
    around = await surroundings(connection, owners, includes)
    return Page(
        views,
        around,
        found["total"],
        state["position"],
        float(state["age_seconds"]),
        state["parked"],
    )


async def _views(
    connection: Connection, ids: Sequence[UUID]
) -> tuple[list[BookingView], Mapping[UUID, GroupView]]:
    """The bookings in the order of their ids, and the groups among and behind them."""
    seats = await attendees.load(connection, ids) if ids else {}
    wanted = {booking for booking in ids if booking not in seats}
    wanted.update(seat.group_id for seat in seats.values())
    owners = await group_views(connection, wanted) if wanted else {}
    views: list[BookingView] = []
    for booking_id in ids:
        seat = seats.get(booking_id)
        views.append(
            owners[booking_id] if seat is None else attendees.view(seat, owners[seat.group_id])
        )
    return views, owners


def _headers(page: Page, stale: bool) -> dict[str, str]:
    headers = freshness_headers(page.position, page.age_seconds if stale else None)
    if page.parked:
        headers[PARKED] = str(page.parked)
    return headers
