"""`seatledger projects`: creates and lists booking pages."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Annotated, Any, TypeVar

import typer
from pydantic_core import to_json

from shared.accounts.apps import AccountsError, App, slug_of
from shared.accounts.postgres import PostgresAccounts
from shared.accounts.projects import PostgresProjects, ProjectSlugTaken
from shared.booking_api.errors import ApiError
from shared.booking_api.projects import Project, read_new_project
from shared.eventlog.master_keys import load_master
from shared.runtime.cli import AsJson, print_rows
from shared.runtime.postgres import explained, pool_of
from shared.runtime.settings import read_settings

T = TypeVar("T")
AppSlug = Annotated[str, typer.Option("--app", help="The app's slug.")]

projects = typer.Typer(help="Projects: what booking pages load.", no_args_is_help=True)


@projects.command("create", epilog="Example: seatledger projects create Webinars --app doc-brown")
def create_project(
    name: Annotated[str, typer.Argument(help="The project's name, for people.")],
    app: AppSlug,
    slug: Annotated[
        str | None, typer.Option(help="Its name in addresses, unique over all apps.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make a project; an app's first one makes a widget key for its pages."""
    wanted = slug if slug is not None else slug_of(name)

    async def work(found: App, store: PostgresProjects) -> Project:
        try:
            fields = read_new_project(to_json({"slug": wanted, "name": name}))
            return await store.create(found.app_id, found.is_test, fields)
        except ProjectSlugTaken:
            raise AccountsError(f"there is a project with the slug {wanted!r} already") from None
        except ApiError as error:
            raise AccountsError(_sentence(error)) from None

    made = _with_projects(app, work)
    print_rows([_row(made, app)], as_json)


@projects.command("list", epilog="Example: seatledger projects list --app doc-brown")
def list_projects(app: AppSlug, as_json: AsJson = False) -> None:
    """List an app's projects."""
    found = _with_projects(app, lambda one, store: store.of_app(one.app_id))
    print_rows([_row(project, app) for project in found], as_json)


def _with_projects(
    app_slug: str, work: Callable[[App, PostgresProjects], Coroutine[Any, Any, T]]
) -> T:
    async def run() -> T:
        settings = read_settings()
        master = await load_master(settings)  # says in one line when there is no database
        async with pool_of(settings.database_dsn, 1) as pool:
            with explained():
                app = await PostgresAccounts(pool).app(app_slug)
                return await work(app, PostgresProjects(pool, master))

    return asyncio.run(run())


def _sentence(error: ApiError) -> str:
    errors = error.to_body().get("errors", {})
    return " ".join(message for messages in errors.values() for message in messages) or str(error)


def _row(project: Project, app_slug: str) -> dict[str, Any]:
    return {
        "project_id": str(project.id),
        "app": app_slug,
        "slug": project.slug,
        "name": project.name,
        "graph": project.booking["graph"],
    }
