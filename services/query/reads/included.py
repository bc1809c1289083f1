"""What includes show beside a booking, read for GETs and webhooks: only what they ask for.

Seat bookings, bulk mates and histories are of the projection, projects and links of the app.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import chain
from types import MappingProxyType
from typing import Final
from uuid import UUID

from services.query.projection.read_models import attendees
from services.query.reads.activity import logs_of
from services.query.reads.included_size import Bulked, Seats, check_size
from services.query.reads.related_seats import group_views, related_seats, snapshot
from shared.accounts.action_links import ActionLinks
from shared.accounts.keyring import KeyRing
from shared.accounts.projects import PostgresProjects
from shared.booking_api.projects import render_project
from shared.booking_api.rendering.includes import Includes
from shared.booking_api.rendering.views import BookingView, GroupView, IncludedData
from shared.domain.events import JsonObject
from shared.eventlog.statements import statements_of
from shared.runtime.postgres import Connection, Pool

sql = statements_of(__package__)

OUTSIDE = ("project", "customer_action_links", "bulked_bookings", "logs")
NO_SEATS: Final[Seats] = MappingProxyType({})


def reaches_outside(includes: Includes) -> bool:
    """Whether the includes show more than the bookings, their groups and seat bookings."""
    return any(includes.anywhere(name) for name in OUTSIDE)


class IncludedReader:
    """Reads what includes show from outside a booking."""

    def __init__(self, pool: Pool, projects: PostgresProjects, ring: KeyRing) -> None:
        self._pool = pool
        self._projects = projects
        self._ring = ring

    async def read(
        self,
        app_id: UUID,
        base_url: str,
        includes: Includes,
        views: Sequence[BookingView],
        seats: Seats = NO_SEATS,
    ) -> IncludedData:
        """What the app's bookings `views` show; customers' links begin with `base_url`.

        `seats` are the related seat bookings by group, from where `views` were read.
        """
        rows = await self._rows(app_id, includes, views, seats)
        if not reaches_outside(includes):
            return rows
        shown = _shown(views, rows)
        return replace(
            rows,
            projects=await self._named(app_id, shown, includes),
            action_links=await self._links(app_id, base_url, shown, includes),
        )

    async def _rows(
        self, app_id: UUID, includes: Includes, views: Sequence[BookingView], seats: Seats
    ) -> IncludedData:
        """What the read models and the log have, of one moment."""
        rows = IncludedData(seat_bookings=seats)
        if not any(includes.anywhere(name) for name in ("bulked_bookings", "logs")):
            return rows
        async with snapshot(self._pool) as connection:
            if includes.anywhere("bulked_bookings"):
                mates = await _bulked(connection, app_id, _everyone(views, seats))
                seats = await _with_seats_of_mates(connection, mates, seats, includes)
                check_size(views, includes, mates, seats)
                rows = IncludedData(seat_bookings=seats, bulked=mates)
            if includes.anywhere("logs"):
                rows = replace(rows, logs=await logs_of(connection, _shown(views, rows)))
        return rows

    async def _named(
        self, app_id: UUID, views: Sequence[BookingView], includes: Includes
    ) -> Mapping[UUID, JsonObject]:
        ids = {_group(view).about.project_id for view in views} - {None}
        if not ids or not includes.anywhere("project"):
            return {}
        found = await self._projects.named(app_id, [one for one in ids if one is not None])
        return {project_id: render_project(project) for project_id, project in found.items()}

    async def _links(
        self, app_id: UUID, base_url: str, views: Sequence[BookingView], includes: Includes
    ) -> Mapping[UUID, Mapping[str, str]]:
        if not includes.anywhere("customer_action_links"):
            return {}
        keys = await self._ring.signing_keys(app_id)
        links = ActionLinks(keys[0] if keys else None, base_url)
        return {view.id: links.of(view.id, view.graph, view.state) for view in views}


def _group(view: BookingView) -> GroupView:
    return view if isinstance(view, GroupView) else view.group


def _shown(views: Sequence[BookingView], rows: IncludedData) -> list[BookingView]:
    """The bookings and all that are shown beside them."""
    return [*views, *chain(*rows.seat_bookings.values()), *chain(*rows.bulked.values())]


def _everyone(views: Sequence[BookingView], seats: Seats) -> list[BookingView]:
    """The bookings, their groups and related seat bookings: any may be asked for its mates."""
    found = {view.id: view for view in chain(views, map(_group, views), *seats.values())}
    return list(found.values())


async def _with_seats_of_mates(
    connection: Connection, bulked: Bulked, seats: Seats, includes: Includes
) -> Seats:
    """With the seat bookings of the mates' groups, where the includes lead that far."""
    if not _leads(includes, "bulked_bookings", "related_bookings"):
        return seats
    groups = (_group(mate) for mate in chain(*bulked.values()))
    more = {group.id: group for group in groups if group.id not in seats}
    return {**seats, **await related_seats(connection, more)}


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
    seats = await attendees.load(connection, [row["booking_id"] for row in rows])
    found: dict[UUID, BookingView] = {**owners}
    for seat in seats.values():
        found[seat.booking_id] = attendees.view(seat, owners[seat.group_id])
    mates: dict[UUID, list[BookingView]] = {}
    for row in rows:
        mates.setdefault(row["bulk_id"], []).append(found[row["booking_id"]])
    return {
        view.id: [mate for mate in mates.get(view.bulk_id, ()) if mate.id != view.id]
        for view in views
        if view.bulk_id is not None
    }
