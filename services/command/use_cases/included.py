"""Includes of an answer to a write, read from the log before the command is decided.

Seats that others book meanwhile are shown without their details; everything else is exact.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from services.command.commit.reply import ResponseOptions
from services.command.use_cases.views import open_seat, seat_view
from shared.accounts.action_links import ActionLinks
from shared.accounts.keyring import KeyRing
from shared.accounts.projects import PostgresProjects
from shared.booking_api.details import SeatDetails
from shared.booking_api.projects import render_project
from shared.booking_api.rendering.includes import Includes
from shared.booking_api.rendering.views import BookingView, GroupView, IncludedData, SeatView
from shared.domain.events import Event, JsonObject
from shared.domain.group import Group
from shared.domain.lifecycle import last_state, moved_with_group, moves_seats
from shared.eventlog.postgres import PostgresEventStore
from shared.eventlog.privacy import MasterKey
from shared.eventlog.store import BookingHistory


@dataclass(frozen=True, slots=True)
class IncludedHistories:
    """What was read for the includes; `of` makes of it what the answer shows."""

    histories: Mapping[UUID, BookingHistory] = field(default_factory=dict)
    details: Mapping[UUID, SeatDetails] = field(default_factory=dict)
    projects: Mapping[UUID, JsonObject] = field(default_factory=dict)
    links: ActionLinks | None = None
    wants_seats: bool = False

    def of(
        self, group: Group, owner: GroupView, view: BookingView, events: Sequence[Event]
    ) -> IncludedData:
        """What is included with `view`, after `events`."""
        seats = self._seats(group, owner, events) if self.wants_seats else []
        return IncludedData(
            seat_bookings={owner.id: seats},
            projects=self.projects,
            action_links=self._links([view, *seats]),
        )

    def _links(self, views: Sequence[BookingView]) -> dict[UUID, Mapping[str, str]]:
        if self.links is None:
            return {}
        return {view.id: self.links.of(view.id, view.graph, view.state) for view in views}

    def _seats(self, group: Group, owner: GroupView, events: Sequence[Event]) -> list[SeatView]:
        ending = next(filter(moves_seats, events), None)
        views = []
        for booking_id, seat in group.seats.items():
            known = self.histories.get(booking_id)
            own = [] if known is None else list(known.events)
            own += [event for event in events if event.booking_id == booking_id]
            if seat.deleted or not own:
                continue
            if ending is not None and moved_with_group(last_state(own), ending) is not None:
                own.append(ending)
            views.append(seat_view(group, owner, own, self.details.get(booking_id, SeatDetails())))
        return views


NOTHING_INCLUDED = IncludedHistories()


class IncludedReader:
    """Reads only what the includes ask for."""

    def __init__(
        self,
        store: PostgresEventStore,
        master: MasterKey,
        projects: PostgresProjects,
        ring: KeyRing,
    ) -> None:
        self._store = store
        self._master = master
        self._projects = projects
        self._ring = ring

    async def read(
        self, app_id: UUID, group_id: UUID, project_id: UUID | None, options: ResponseOptions
    ) -> IncludedHistories:
        """What an answer about this group, or a seat booking in it, may need."""
        includes = options.includes
        if not includes.children:
            return NOTHING_INCLUDED
        wants_seats = includes.anywhere("related_bookings")
        histories = await self._store.find_group(group_id) if wants_seats else {}
        return IncludedHistories(
            histories,
            {one.booking_id: self._open(one) for one in histories.values()},
            await self._project(app_id, project_id, includes),
            await self._links(app_id, options),
            wants_seats,
        )

    async def _project(
        self, app_id: UUID, project_id: UUID | None, includes: Includes
    ) -> Mapping[UUID, JsonObject]:
        if project_id is None or not includes.anywhere("project"):
            return {}
        project = await self._projects.find(app_id, project_id)
        return {} if project is None else {project_id: render_project(project)}

    async def _links(self, app_id: UUID, options: ResponseOptions) -> ActionLinks | None:
        if not options.includes.anywhere("customer_action_links"):
            return None
        keys = await self._ring.signing_keys(app_id)
        return ActionLinks(keys[0] if keys else None, options.base_url)

    def _open(self, history: BookingHistory) -> SeatDetails:
        wrapped = history.wrapped_key
        key = None if wrapped is None else self._master.unwrap(history.booking_id, wrapped)
        return open_seat(history.events, key)
