"""`GET /v2/bookings/groups/{id}/attendees.csv` and `….ics`: exports of a group.

Extensions (decision 0016). They are made of one snapshot, not older than the request.
"""

from __future__ import annotations

from uuid import UUID

from aiohttp import web

from services.query.http import attendee_csv, calendar_ics
from services.query.http.request_options import rendering_for
from services.query.http.visible import visible_group
from services.query.reads.fresh_reads import FreshReads
from services.query.reads.related_seats import group_views, related_seats
from services.query.reads.streams import Streams
from shared.booking_api.rendering.views import SeatView
from shared.domain.events import GroupCancelled, GroupRescheduled
from shared.eventlog.statements import statements_of
from shared.http.access import identity_of
from shared.http.operation import Operation, routes_of

sql = statements_of(__package__)

REVISIONS = (GroupRescheduled.TOPIC, GroupCancelled.TOPIC)
"""What happened to an event so that calendars must show it anew."""


class GroupFiles:
    """A group's attendees as a spreadsheet, and its event for a calendar."""

    def __init__(self, reads: FreshReads, streams: Streams) -> None:
        self._reads = reads
        self._streams = streams

    def routes(self) -> list[web.RouteDef]:
        return routes_of(self)

    @Operation(
        "get",
        "/v2/bookings/groups/{id}/attendees.csv",
        "getAttendeeList",
        "A group's seat bookings as a spreadsheet",
        answers="text/csv",
    )
    async def attendees(self, request: web.Request) -> web.Response:
        """One line a seat booking, no cell a formula."""
        group_id = await self._visible(request)
        seats = await self._seats(request, group_id)
        text = attendee_csv.render_attendee_list(seats, rendering_for(request))
        return _file(text, attendee_csv.CONTENT_TYPE, f"attendees-{group_id}.csv")

    @Operation(
        "get",
        "/v2/bookings/groups/{id}.ics",
        "getCalendarFile",
        "A group as a calendar file",
        answers="text/calendar",
    )
    async def calendar(self, request: web.Request) -> web.Response:
        """The event without its attendees: such files are passed on."""
        group_id = await self._visible(request)
        async with self._streams.snapshot(identity_of(request).app_id) as connection:
            owners = await group_views(connection, [group_id])
            revisions = await connection.fetchval(sql("revisions"), group_id, REVISIONS)
        text = calendar_ics.render_calendar_file(owners[group_id], revisions)
        return _file(text, calendar_ics.CONTENT_TYPE, f"{group_id}.ics")

    async def _visible(self, request: web.Request) -> UUID:
        """The group's id, once it is projected."""
        found = await visible_group(request, self._reads)
        await self._reads.until_projected(found.group.position)
        return found.group.row.group_id

    async def _seats(self, request: web.Request, group_id: UUID) -> list[SeatView]:
        async with self._streams.snapshot(identity_of(request).app_id) as connection:
            owners = await group_views(connection, [group_id])
            return (await related_seats(connection, owners))[group_id]


def _file(text: str, content_type: str, name: str) -> web.Response:
    headers = {
        "Content-Type": content_type,
        "Content-Disposition": f'attachment; filename="{name}"',
    }
    return web.Response(body=text.encode(), headers=headers)
