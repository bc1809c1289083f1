"""`seatledger customer`: exports what is stored about a person; indexes old bookings."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Annotated, Any

import typer

from services.audit.people.cli import Search, Slug, search_for
from services.audit.people.indexing import index_people
from services.audit.people.people import named_in, stored_about
from services.audit.postgres import Ledger, open_ledger
from services.audit.session import refused
from shared.eventlog.master_keys import load_master, master_on
from shared.eventlog.privacy import MasterKey
from shared.runtime.cli import AsJson, note, print_json_lines, print_rows, progress
from shared.runtime.postgres import connected
from shared.runtime.settings import ConfigurationError, read_settings

app = typer.Typer(help="What is stored about a person.", no_args_is_help=True)


@app.command("export", epilog="Example: seatledger customer export marty@example.org")
def export_customer(
    customer: Annotated[str, typer.Argument(help="The person's e-mail address.")],
    app_slug: Slug = None,
    out: Annotated[Path | None, typer.Option(help="Write here (0600) and not to stdout.")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only list the bookings that were found.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Print what is stored about a person as JSON, out of the ledger itself.

    Of others' bookings that name them as an attendee only their own entry is shown. Exit status 1
    when nobody was found, or when some bookings could not be searched.
    """
    search, shown = asyncio.run(_export(customer, app_slug, dry_run))
    if dry_run:
        print_rows(shown["bookings"], as_json)
    elif as_json and out is None:
        print_json_lines([shown])
    else:
        _write(json.dumps(shown, ensure_ascii=False, indent=None if as_json else 1), out)
    search.says()
    raise typer.Exit(search.status)


def _write(text: str, out: Path | None) -> None:
    if out is None:
        typer.echo(text)
        return
    try:
        out.touch(mode=0o600, exist_ok=False)
        out.write_text(f"{text}\n", encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"cannot write {out}: {error.strerror}") from None


async def _export(email: str, slug: str | None, dry_run: bool) -> tuple[Search, dict[str, Any]]:
    settings = read_settings()
    async with open_ledger(settings.database_dsn) as ledger:
        master = await load_master(settings)
        search = await search_for(ledger, master, email, slug)
        bookings = [] if dry_run else await _opened(ledger, master, search)
    if dry_run:
        bookings = [
            {"booking_id": str(one.booking_id), "as": "customer" if one.is_customer else "attendee"}
            for one in search.found
        ]
    return search, {
        "customer": email,
        "bookings": bookings,
        "bookings_not_searched": search.unsearched,
    }


async def _opened(ledger: Ledger, master: MasterKey, search: Search) -> list[dict[str, Any]]:
    return [
        await stored_about(ledger, master, one.booking_id, one.group_id)
        if one.is_customer
        else await named_in(ledger, one, search.email or "")
        for one in search.found
    ]


@app.command("index", epilog="Example: seatledger customer index")
def index_attendees(as_json: AsJson = False) -> None:
    """Make the attendees of bookings searchable that were made before attendees were (0.1.0).

    The services run on. Broken off, it goes on where it was; the ledger is not touched.
    """
    row = asyncio.run(_index())
    print_rows([row], as_json)
    if row["unopened"]:
        raise refused(f"{row['unopened']} bookings cannot be opened with this master key")


async def _index() -> dict[str, int]:
    settings = read_settings()
    async with open_ledger(settings.database_dsn) as ledger:
        total = await ledger.unindexed()
    async with connected(settings.database_dsn) as connection:
        master = await master_on(connection, settings)
        with progress() as bar:
            task = bar.add_task("indexing", total=total)
            done = await index_people(connection, master, lambda more: bar.advance(task, more))
    if not total:
        note("all bookings can be searched")
    return {"bookings": done.bookings, "unopened": done.unopened}
