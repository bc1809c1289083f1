"""`seatledger erase` and `seatledger customer export`: what a person may ask of an operator."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import asyncpg
import typer

from services.audit.asking import refused
from services.audit.erasing import NotErased, eraser
from services.audit.people import stored_about
from services.audit.postgres import Ledger, open_ledger
from shared.cli import AsJson, note, print_rows, progress
from shared.eventlog.master_keys import load_master
from shared.eventlog.privacy import customer_ref
from shared.postgres import explained
from shared.settings import ConfigurationError, Settings, read_settings

Email = Annotated[str | None, typer.Option(help="All bookings of this e-mail address.")]
Slug = Annotated[str | None, typer.Option("--app", help="Only in this app; in all if left out.")]

app = typer.Typer(help="Erase a person.")
customer_app = typer.Typer(help="What is stored about a person.", no_args_is_help=True)


@app.command("erase", epilog="Example: seatledger erase --customer marty@example.org")
def erase_customer(
    booking: Annotated[UUID | None, typer.Option(help="One booking, of either kind.")] = None,
    customer: Email = None,
    app_slug: Slug = None,
    rewrite: Annotated[
        bool, typer.Option("--rewrite", help="Leave no byte in free space: locks tables shortly.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Make a person's data unreadable for ever. The ledger verifies and counts as before.

    Backups and the write-ahead log keep it until they expire; see decision 0009.
    """
    if (booking is None) == (customer is None):
        raise typer.BadParameter("give either --booking or --customer")
    try:
        with explained():
            row = asyncio.run(_erase(read_settings(), booking, customer, app_slug, rewrite))
    except NotErased as error:
        raise refused(str(error)) from None
    print_rows([row], as_json)


async def _erase(
    settings: Settings, booking: UUID | None, email: str | None, slug: str | None, rewrite: bool
) -> dict[str, Any]:
    async with open_ledger(settings.database_dsn) as ledger:
        bookings = await _bookings(ledger, settings, booking, email, slug)
    async with eraser(settings.database_dsn) as at_work:
        with progress() as bar:
            task = bar.add_task("erasing", total=len(bookings))
            erased = await at_work.erase(bookings, lambda more: bar.advance(task, more))
        cleaned = True
        try:
            await at_work.clean(rewrite)
        except asyncpg.InsufficientPrivilegeError as error:
            cleaned = False
            note(f"erased; this role may not clean the tables up: {error}")
    return {"bookings": len(bookings), "erased_now": erased, "cleaned": cleaned}


async def _bookings(
    ledger: Ledger, settings: Settings, booking: UUID | None, email: str | None, slug: str | None
) -> dict[UUID, UUID]:
    if booking is not None:
        group_id = await ledger.group_of(booking)
        if group_id is None:
            raise refused(f"the ledger knows no booking {booking}")
        return {booking: group_id}
    return dict(await _of_customer(ledger, settings, email or "", slug))


async def _of_customer(
    ledger: Ledger, settings: Settings, email: str, slug: str | None
) -> list[tuple[UUID, UUID]]:
    app_id = None
    if slug is not None and (app_id := await ledger.app_id(slug)) is None:
        raise refused(f"there is no app with the slug {slug!r}: see seatledger apps list")
    return await ledger.bookings_of(customer_ref(await load_master(settings), email), app_id)


@customer_app.command("export", epilog="Example: seatledger customer export marty@example.org")
def export_customer(
    customer: Annotated[str, typer.Argument(help="The person's e-mail address.")],
    app_slug: Slug = None,
    out: Annotated[Path | None, typer.Option(help="Write here (0600) and not to stdout.")] = None,
) -> None:
    """Print what is stored about a person as JSON, out of the ledger itself."""
    text = json.dumps(asyncio.run(_export(customer, app_slug)), ensure_ascii=False, indent=1)
    if out is None:
        typer.echo(text)
        return
    try:
        out.touch(mode=0o600, exist_ok=False)
        out.write_text(f"{text}\n", encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"cannot write {out}: {error.strerror}") from None


async def _export(email: str, slug: str | None) -> dict[str, Any]:
    settings = read_settings()
    async with open_ledger(settings.database_dsn) as ledger:
        bookings = await _of_customer(ledger, settings, email, slug)
        master = await load_master(settings)
        shown = [await stored_about(ledger, master, *one) for one in bookings]
    return {"customer": email, "bookings": shown}
