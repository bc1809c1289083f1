"""GET of projects: what booking pages load, the hosted ones without a key; and users' time zones.

Contract sections 7 and 11.
"""

from __future__ import annotations

from datetime import UTC, datetime

from aiohttp import web

from services.query.http.lists.paging import envelope, read_page
from services.query.http.request_options import reading_for
from services.query.http.user_zones import render_user_zone
from shared.accounts.projects import PostgresProjects
from shared.booking_api.errors import NotFound
from shared.booking_api.projects import Project, render_project
from shared.booking_api.reading.timestamps import UTC_ZONE, find_zone
from shared.http.access import for_everyone, for_widgets, identity_of
from shared.http.answers import json_answer
from shared.http.operation import Operation, routes_of
from shared.http.requests.addresses import own_url
from shared.http.requests.checked import path_id, query_of


class ProjectReads:
    """The read side of `/v2/projects`."""

    def __init__(self, projects: PostgresProjects) -> None:
        self._projects = projects

    def routes(self) -> list[web.RouteDef]:
        return routes_of(self)

    @Operation(
        "get",
        "/v2/projects",
        "listProjects",
        "The app's projects",
        answers="ProjectList",
        query=("limit", "page"),
    )
    async def all(self, request: web.Request) -> web.Response:
        """The app's projects, the oldest first."""
        page = read_page(query_of(request), reading_for(request))
        found = await self._projects.of_app(identity_of(request).app_id)
        shown = found[page.skip : page.skip + page.limit]
        data = [render_project(project) for project in shown]
        shape = envelope(data, len(found), page, own_url(request), query_of(request))
        return json_answer(shape)

    @Operation("get", "/v2/projects/{id}", "getProject", "A project", answers="Project")
    async def one(self, request: web.Request) -> web.Response:
        """A project of the app's."""
        return json_answer({"data": render_project(await self._find(request, "Project"))})

    @Operation(
        "get",
        "/v2/projects/embed/{id}",
        "embedProject",
        "A project, for a page with a key",
        answers="Project",
    )
    @for_widgets
    async def embedded(self, request: web.Request) -> web.Response:
        """As a page with a key of its own loads it."""
        return json_answer({"data": render_project(await self._find(request, "Widget"))})

    @Operation(
        "get",
        "/v2/projects/hosted/{slug}",
        "hostProject",
        "A project, for a page without a key",
        answers="Project",
    )
    @for_everyone
    async def hosted(self, request: web.Request) -> web.Response:
        """As a page without a key loads it: with the app's widget key."""
        found = await self._projects.hosted(request.match_info["slug"])
        if found is None:
            raise NotFound("Widget")
        headers = {"Timekit-TestMode": "true"} if found.is_test else {}
        return json_answer({"data": render_project(found.project, found.app_key)}, 200, headers)

    @Operation(
        "get",
        "/v2/users/timezone/{email}",
        "userTimezone",
        "The app's time zone, for old widgets",
        answers="Timezone",
    )
    @for_widgets
    async def time_zone(self, request: web.Request) -> web.Response:
        """The app's zone, whoever is asked about."""
        zone = find_zone(identity_of(request).time_zone) or UTC_ZONE
        return json_answer({"data": render_user_zone(zone, datetime.now(UTC))})

    async def _find(self, request: web.Request, model: str) -> Project:
        project_id = path_id(request, model)
        project = await self._projects.find(identity_of(request).app_id, project_id)
        if project is None:
            raise NotFound(model)
        return project
