"""`POST /v2/projects` and `PUT /v2/projects/{id}`: booking pages made and changed.

An extension: with Timekit this is done in its own console.
"""

from __future__ import annotations

from aiohttp import web

from services.command.use_cases.public_terms import TermsOfApps
from shared.accounts.projects import PostgresProjects, ProjectSlugTaken
from shared.booking_api.errors import NotFound, ValidationFailed
from shared.booking_api.projects import (
    ProjectToSave,
    read_new_project,
    read_project_change,
    render_project,
)
from shared.http.access import identity_of
from shared.http.answers import json_answer
from shared.http.middleware import read_body
from shared.http.operation import Operation, routes_of
from shared.http.requests.checked import path_id


class ProjectRoutes:
    """The write side of `/v2/projects`."""

    def __init__(self, projects: PostgresProjects, terms: TermsOfApps) -> None:
        self._projects = projects
        self._terms = terms

    def routes(self) -> list[web.RouteDef]:
        return routes_of(self)

    @Operation(
        "post",
        "/v2/projects",
        "createProject",
        "Make a project",
        status=201,
        answers="Project",
        body=(ProjectToSave,),
    )
    async def create(self, request: web.Request) -> web.Response:
        """201 with the project; its slug must be free among all apps' projects."""
        fields = read_new_project(await read_body(request))
        identity = identity_of(request)
        try:
            project = await self._projects.create(identity.app_id, identity.is_test, fields)
        except ProjectSlugTaken:
            raise _slug_taken() from None
        self._terms.forget(identity.app_id)
        return json_answer({"data": render_project(project)}, 201)

    @Operation(
        "put",
        "/v2/projects/{id}",
        "changeProject",
        "Change a project",
        answers="Project",
        body=(ProjectToSave,),
    )
    async def change(self, request: web.Request) -> web.Response:
        """200 with the project as it is now."""
        project_id, app_id = path_id(request, "Project"), identity_of(request).app_id
        fields = read_project_change(await read_body(request))
        try:
            project = await self._projects.change(app_id, project_id, fields)
        except ProjectSlugTaken:
            raise _slug_taken() from None
        if project is None:
            raise NotFound("Project")
        self._terms.forget(app_id)
        return json_answer({"data": render_project(project)})


def _slug_taken() -> ValidationFailed:
    return ValidationFailed({"slug": ["The slug field is taken by another project."]}, "slug_taken")
