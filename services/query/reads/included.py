"""Includes outside the rows of the read models: projects, action links, bulk mates, histories."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from uuid import UUID

from aiohttp import web

from services.query.connection import Connection, Pool
from services.query.projection.read_models import attendees
from services.query.projection.read_models.attendees import SeatRow
from services.query.reads.activity import logs_of
from services.query.reads.included_size import check_size
from services.query.reads.related_seats import group_views, snapshot, surroundings
from shared.accounts.action_links import ActionLinks
from shared.accounts.keyring import KeyRing
from shared.accounts.projects import PostgresProjects
from shared.booking_api.projects import render_project
from shared.booking_api.rendering.includes import Includes
from shared.booking_api.rendering.views import BookingView, GroupView, Surroundings
from shared.domain.events import JsonObject
from shared.eventlog.statements import statements_of
from shared.http.access import identity_of
from shared.http.requests.addresses import base_url

sql = statements_of(__package__)

OUTSIDE = ("project", "customer_action_links", "bulked_bookings", "logs")


def reaches_outside(includes: Includes) -> bool:
    """Whether the includes show something that is read here."""
    return any(includes.anywhere(name) for name in OUTSIDE)


class OutsideReads:
    """Reads only what the includes ask for."""

    def __init__(self, pool: Pool, projects: PostgresProjects, ring: KeyRing) -> None:
        self._pool = pool
        self._projects = projects
        self._ring = ring

    async def added(
        self,
        request: web.Request,
        includes: Includes,
        views: Sequence[BookingView],
        around: Surroundings,
    ) -> Surroundings:
        """The surroundings with what lies outside."""
        if not reaches_outside(includes):
            return around
        app_id = identity_of(request).app_id
        async with snapshot(self._pool) as connection:
            bulked: Mapping[UUID, Sequence[BookingView]] = {}
            if includes.anywhere("bulked_bookings"):
                bulked = await _bulked(connection, app_id, _everyone(views, around))
                around = await _with_seats_of_mates(connection, bulked, around, includes)
                check_size(views, includes, bulked, around.seat_bookings)
            shown = [*views, *chain(*around.seat_bookings.values()), *chain(*bulked.values())]
            logs = await logs_of(connection, shown) if includes.anywhere("logs") else {}
        return replace(
            around,
            bulked=bulked,
            logs=logs,
            projects=await self._named(app_id, shown, includes),
            action_links=await self._links(request, shown, includes),
        )

    async def _named(
        self, app_id: UUID, views: Sequence[BookingView], includes: Includes
    ) -> Mapping[UUID, JsonObject]:
        if not includes.anywhere("project"):
            return {}
        ids = {_group(view).project_id for view in views}
        found = await self._projects.named(app_id, [one for one in ids if one is not None])
        return {project_id: render_project(project) for project_id, project in found.items()}

    async def _links(
        self, request: web.Request, views: Sequence[BookingView], includes: Includes
    ) -> Mapping[UUID, Mapping[str, str]]:
        if not includes.anywhere("customer_action_links"):
            return {}
        keys = await self._ring.signing_keys(identity_of(request).app_id)
        links = ActionLinks(keys[0] if keys else None, base_url(request))
        return {view.id: links.of(view.id, view.graph, view.state) for view in views}


def _group(view: BookingView) -> GroupView:
    return view if isinstance(view, GroupView) else view.group


def _everyone(views: Sequence[BookingView], around: Surroundings) -> list[BookingView]:
    """The bookings, their groups and the seat bookings around them: any of them may be asked for
    its mates."""
    seats: Iterable[BookingView] = chain(*around.seat_bookings.values())
    found = {view.id: view for view in chain(views, map(_group, views), seats)}
    return list(found.values())


async def _with_seats_of_mates(
    connection: Connection,
    bulked: Mapping[UUID, Sequence[BookingView]],
    around: Surroundings,
    includes: Includes,
) -> Surroundings:
    """With the seat bookings of the mates' groups, where the includes lead that far."""
    if not _leads(includes, "bulked_bookings", "related_bookings"):
        return around
    groups = (_group(mate) for mate in chain(*bulked.values()))
    more = {group.id: group for group in groups if group.id not in around.seat_bookings}
    found = await surroundings(connection, more, includes)
    return replace(around, seat_bookings={**around.seat_bookings, **found.seat_bookings})


def _leads(includes: Includes, first: str, then: str) -> bool:
    """Whether `then` is included somewhere below `first`."""
    return any(
        (name == first and below.anywhere(then)) or _leads(below, first, then)
        for name, below in includes.children.items()
    )


async def _bulked(
    connection: Connection, app_id: UUID, views: Sequence[BookingView]
) -> dict[UUID, list[BookingView]]:
    """Each booking's mates: what one bulk call made together with it, without itself."""
    bulk_ids = {view.bulk_id for view in views if view.bulk_id is not None}
    rows = await connection.fetch(sql("bulked_bookings"), app_id, list(bulk_ids))
    owners = await group_views(connection, {row["group_id"] for row in rows})
    seats = await connection.fetch(sql("seats_by_id"), [row["booking_id"] for row in rows])
    found: dict[UUID, BookingView] = {**owners}
    for row in seats:
        seat = SeatRow(*row)
        found[seat.booking_id] = attendees.view(seat, owners[seat.group_id])
    mates: dict[UUID, list[BookingView]] = {}
    for row in rows:
        mates.setdefault(row["bulk_id"], []).append(found[row["booking_id"]])
    return {
        view.id: [mate for mate in mates.get(view.bulk_id, ()) if mate.id != view.id]
        for view in views
        if view.bulk_id is not None
    }
