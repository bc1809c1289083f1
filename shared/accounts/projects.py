"""PostgreSQL repository of projects, an app's booking pages: a slug is unique among all apps.

A hosted page sends no key, so it is handed the app's widget key; making an app's first project
makes one.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import asyncpg

from shared.accounts.apps import AccountsError
from shared.accounts.keys import new_key_text, open_key, seal_key
from shared.booking_api.projects import Project, ProjectFields, changed_project, new_project
from shared.eventlog.privacy import MasterKey, Unreadable
from shared.eventlog.statements import statement
from shared.runtime.postgres import Connection, Pool

STATEMENT_SECONDS = 5


class ProjectSlugTaken(AccountsError):
    """Another project has that slug, perhaps of another app."""


@dataclass(frozen=True, slots=True)
class HostedProject:
    """A project with the key its public page calls with."""

    project: Project
    app_key: str = field(repr=False)
    is_test: bool


class PostgresProjects:
    """What callers and operators do with projects."""

    def __init__(self, pool: Pool, master: MasterKey) -> None:
        self._pool = pool
        self._master = master

    async def create(self, app_id: UUID, is_test: bool, fields: ProjectFields) -> Project:
        """A new project; ProjectSlugTaken when its slug is not free."""
        project = new_project(uuid4(), fields)
        async with self._pool.acquire() as connection, connection.transaction():
            made = await connection.fetchval(_sql("create_project"), *_columns(app_id, project))
            if made is None:
                raise ProjectSlugTaken
            await self._ensure_widget_key(connection, app_id, is_test)
        return project

    async def change(self, app_id: UUID, project_id: UUID, fields: ProjectFields) -> Project | None:
        """The project with its changes; None when the app has no such project."""
        try:
            async with self._pool.acquire() as connection, connection.transaction():
                row = await connection.fetchrow(_sql("lock_project"), app_id, project_id)
                if row is None:
                    return None
                project = changed_project(_project(row), fields)
                await connection.execute(_sql("change_project"), *_columns(app_id, project))
        except asyncpg.UniqueViolationError:
            raise ProjectSlugTaken from None
        return project

    async def find(self, app_id: UUID, project_id: UUID) -> Project | None:
        """The app's project with this id."""
        return (await self.named(app_id, [project_id])).get(project_id)

    async def named(self, app_id: UUID, project_ids: Iterable[UUID]) -> Mapping[UUID, Project]:
        """Those of the app's projects, by id."""
        rows = await self._pool.fetch(
            _sql("find_projects"), app_id, list(project_ids), timeout=STATEMENT_SECONDS
        )
        return {row["project_id"]: _project(row) for row in rows}

    async def graphs(self, app_id: UUID) -> Mapping[UUID, str]:
        """By which graph each of the app's projects books, where it says so."""
        rows = await self._pool.fetch(_sql("project_graphs"), app_id, timeout=STATEMENT_SECONDS)
        return {row["project_id"]: row["graph"] for row in rows}

    async def of_app(self, app_id: UUID | None) -> list[Project]:
        """An app's projects, or all there are, the oldest first."""
        rows = await self._pool.fetch(_sql("list_projects"), app_id, timeout=STATEMENT_SECONDS)
        return [_project(row) for row in rows]

    async def hosted(self, slug: str) -> HostedProject | None:
        """What a public page gets for its slug; None without a widget key to give it."""
        row = await self._pool.fetchrow(_sql("hosted_project"), slug, timeout=STATEMENT_SECONDS)
        if row is None or row["key_id"] is None:
            return None
        try:
            key = open_key(self._master, row["key_id"], row["sealed_key"])
        except Unreadable:
            return None
        return HostedProject(_project(row), key.text.decode(), row["is_test"])

    async def _ensure_widget_key(self, connection: Connection, app_id: UUID, test: bool) -> None:
        if await connection.fetchval(_sql("has_widget_key"), app_id):
            return
        key = seal_key(self._master, "widget", new_key_text("widget", test))
        values = (key.key_id, app_id, "widget", key.key_hash, key.sealed_key, key.hint, None)
        await connection.fetchval(_sql("create_key"), *values)


def _sql(name: str) -> str:
    return statement(name, "shared.accounts")


def _columns(app_id: UUID, project: Project) -> tuple[Any, ...]:
    objects = (project.booking, project.ui, project.customer_fields)
    texts = (json.dumps(one, ensure_ascii=False) for one in objects)
    return (project.id, app_id, project.slug, project.name, *texts)


def _project(row: asyncpg.Record) -> Project:
    return Project(
        id=row["project_id"],
        slug=row["slug"],
        name=row["name"],
        booking=json.loads(row["booking"]),
        ui=json.loads(row["ui"]),
        customer_fields=json.loads(row["customer_fields"]),
    )
