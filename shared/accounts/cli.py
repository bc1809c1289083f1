"""`seatledger apps` and `seatledger keys`: tenants and their API keys, as tables or JSON."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar
from uuid import UUID

import typer

from shared.accounts.apps import App, slug_of
from shared.accounts.keys import KeyKind, KeyListing
from shared.accounts.postgres import PostgresAccounts
from shared.eventlog.master_keys import load_master
from shared.runtime.cli import AsJson, note, print_rows, stamp
from shared.runtime.postgres import connected
from shared.runtime.settings import Settings, read_settings

T = TypeVar("T")

apps = typer.Typer(help="Apps: tenants that never see each other's bookings.", no_args_is_help=True)
keys = typer.Typer(help="API keys of apps: made, listed, revoked.", no_args_is_help=True)


@apps.command("create", epilog="Example: seatledger apps create 'Doc Brown' --test")
def create_app(
    name: Annotated[str, typer.Argument(help="The app's name, for people.")],
    slug: Annotated[str | None, typer.Option(help="Its name in commands; made from NAME.")] = None,
    time_zone: Annotated[str, typer.Option(help="IANA zone where a request names none.")] = "UTC",
    test: Annotated[
        bool, typer.Option("--test", help="A test app: its keys are test keys.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Make an app."""
    wanted = slug if slug is not None else slug_of(name)
    app = _with_accounts(lambda accounts, _: accounts.create_app(name, wanted, time_zone, test))
    print_rows([_app_row(app)], as_json)


@apps.command("list", epilog="Example: seatledger apps list --json")
def list_apps(as_json: AsJson = False) -> None:
    """List the apps."""
    found = _with_accounts(lambda accounts, _: accounts.apps())
    print_rows([_app_row(app) for app in found], as_json)


@keys.command("create", epilog="Example: seatledger keys create --app doc-brown --kind widget")
def create_key(
    app: Annotated[str, typer.Option(help="The app's slug.")],
    kind: Annotated[KeyKind, typer.Option(help="server: everything; widget: a public page.")] = (
        "server"
    ),
    expires: Annotated[
        datetime | None,
        typer.Option(help="When the key ends, in UTC.", formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make a key and show it, for this one time."""
    ends = expires.replace(tzinfo=UTC) if expires is not None else None

    async def work(accounts: PostgresAccounts, settings: Settings) -> tuple[UUID, str]:
        master = await load_master(settings)
        return await accounts.create_key(master, await accounts.app(app), kind, ends)

    key_id, text = _with_accounts(work)
    print_rows([{"key_id": str(key_id), "app": app, "kind": kind, "key": text}], as_json)
    if not as_json:
        note("Keep it now: it cannot be shown again.")


@keys.command("list", epilog="Example: seatledger keys list --app doc-brown")
def list_keys(
    app: Annotated[str | None, typer.Option(help="Only this app's keys.")] = None,
    as_json: AsJson = False,
) -> None:
    """List keys by their hints: the keys themselves cannot be shown."""

    async def work(accounts: PostgresAccounts, _: Settings) -> list[KeyListing]:
        if app is not None:
            await accounts.app(app)
        return await accounts.keys(app)

    print_rows([_key_row(key) for key in _with_accounts(work)], as_json)


@keys.command(
    "revoke", epilog="Example: seatledger keys revoke 0f8fad5b-d9cb-469f-a165-70867728950e"
)
def revoke_key(
    key_id: Annotated[UUID, typer.Argument(help="The key's id, from `seatledger keys list`.")],
    as_json: AsJson = False,
) -> None:
    """Revoke a key: within 5 seconds nobody gets in with it."""
    revoked_at = _with_accounts(lambda accounts, _: accounts.revoke_key(key_id))
    print_rows([{"key_id": str(key_id), "revoked_at": stamp(revoked_at)}], as_json)


def _with_accounts(work: Callable[[PostgresAccounts, Settings], Coroutine[Any, Any, T]]) -> T:
    async def run() -> T:
        settings = read_settings()
        async with connected(settings.database_dsn) as connection:
            return await work(PostgresAccounts(connection), settings)

    return asyncio.run(run())


def _app_row(app: App) -> dict[str, Any]:
    return {
        "app_id": str(app.app_id),
        "slug": app.slug,
        "name": app.name,
        "time_zone": app.time_zone,
        "is_test": app.is_test,
        "created_at": stamp(app.created_at),
    }


def _key_row(key: KeyListing) -> dict[str, Any]:
    return {
        "key_id": str(key.key_id),
        "app": key.app_slug,
        "kind": key.kind,
        "key": key.hint,
        "created_at": stamp(key.created_at),
        "expires_at": stamp(key.expires_at),
        "revoked_at": stamp(key.revoked_at),
    }
