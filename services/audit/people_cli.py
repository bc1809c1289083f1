"""`seatledger erase` and `seatledger customer export`: what a person may ask of an operator.

Both say what they found, and exit with 1 when they found nobody.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import asyncpg
import typer

from services.audit.asking import BROKEN, agreed, refused
from services.audit.erasing import NotErased, eraser
from services.audit.found import Found, Unopened, booking_details, bookings_of
from services.audit.people import stored_about
from services.audit.postgres import Ledger, open_ledger
from shared.booking_api.details import SeatDetails
from shared.cli import AsJson, note, print_json_lines, print_rows, progress
from shared.eventlog.master_keys import load_master
from shared.eventlog.privacy import MasterKey
from shared.postgres import explained
from shared.settings import ConfigurationError, Settings, read_settings

Email = Annotated[str | None, typer.Option(help="All bookings of this e-mail address.")]
Slug = Annotated[str | None, typer.Option("--app", help="Only in this app; in all if left out.")]
NOBODY = "nobody was found: the ledger knows no booking of that mailbox, or they were erased"

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
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show what would be erased.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Make a person's data unreadable for ever. The ledger verifies and counts as before.

    Backups and the write-ahead log keep it until they expire; see decision 0009.
    """
    if (booking is None) == (customer is None):
        raise typer.BadParameter("give either --booking or --customer")
    settings = read_settings()
    with explained():
        found = _reading(lambda ledger: _found(ledger, settings, booking, customer, app_slug))
        if dry_run or not found:
            print_rows([_would_erase(one) for one in found], as_json)
            raise typer.Exit(0) if found else refused(NOBODY)
        agreed(_question(found), yes)
        try:
            row = asyncio.run(_erase(settings, found, rewrite))
        except NotErased as error:
            raise refused(str(error)) from None
    print_rows([row], as_json)


def _reading(work: Callable[[Ledger], Any]) -> Any:
    async def run() -> Any:
        async with open_ledger(read_settings().database_dsn) as ledger:
            return await work(ledger)

    try:
        return asyncio.run(run())
    except Unopened as error:
        raise refused(str(error)) from None


def _would_erase(one: Found) -> dict[str, Any]:
    return {
        "booking_id": str(one.booking_id),
        "group_id": str(one.group_id),
        "erases": "booking",
        "names": one.names,
    }


def _question(found: Sequence[Found]) -> str:
    """What goes, and whose names go with it."""
    lines = [f"{one.booking_id}: {', '.join(one.names) or 'nobody is named'}" for one in found]
    return "\n".join((f"bookings to erase: {len(found)}", *lines, "Erase them for ever?"))


async def _erase(settings: Settings, found: Sequence[Found], rewrite: bool) -> dict[str, Any]:
    async with eraser(settings.database_dsn) as at_work:
        bookings = {one.booking_id: one.group_id for one in found}
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


async def _found(
    ledger: Ledger, settings: Settings, booking: UUID | None, email: str | None, slug: str | None
) -> list[Found]:
    if booking is None:
        return await _of_mailbox(ledger, await load_master(settings), email or "", slug)
    group_id = await ledger.group_of(booking)
    if group_id is None:
        raise refused(f"the ledger knows no booking {booking}")
    return [Found(booking, group_id, await _names_of(ledger, settings, booking), True)]


async def _names_of(ledger: Ledger, settings: Settings, booking: UUID) -> SeatDetails:
    """Nobody where it cannot be opened: erasing one booking by its id needs no name."""
    try:
        return await booking_details(ledger, await load_master(settings), booking)
    except (Unopened, ConfigurationError):
        note(f"booking {booking} cannot be opened: nobody can say whom it names")
        return SeatDetails()


async def _of_mailbox(
    ledger: Ledger, master: MasterKey, email: str, slug: str | None
) -> list[Found]:
    app_id = None
    if slug is not None and (app_id := await ledger.app_id(slug)) is None:
        raise refused(f"there is no app with the slug {slug!r}: see seatledger apps list")
    return await bookings_of(ledger, master, email, app_id)


@customer_app.command("export", epilog="Example: seatledger customer export marty@example.org")
def export_customer(
    customer: Annotated[str, typer.Argument(help="The person's e-mail address.")],
    app_slug: Slug = None,
    out: Annotated[Path | None, typer.Option(help="Write here (0600) and not to stdout.")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only list the bookings that were found.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Print what is stored about a person as JSON, out of the ledger itself."""
    shown = _reading(lambda ledger: _export(ledger, customer, app_slug, dry_run))
    if dry_run:
        print_rows(shown["bookings"], as_json)
    elif as_json and out is None:
        print_json_lines([shown])
    else:
        _write(json.dumps(shown, ensure_ascii=False, indent=None if as_json else 1), out)
    note(f"bookings found: {len(shown['bookings'])}" if shown["bookings"] else NOBODY)
    if not shown["bookings"]:
        raise typer.Exit(BROKEN)


def _write(text: str, out: Path | None) -> None:
    if out is None:
        typer.echo(text)
        return
    try:
        out.touch(mode=0o600, exist_ok=False)
        out.write_text(f"{text}\n", encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"cannot write {out}: {error.strerror}") from None


async def _export(ledger: Ledger, email: str, slug: str | None, dry_run: bool) -> dict[str, Any]:
    master = await load_master(read_settings())
    found = await _of_mailbox(ledger, master, email, slug)
    if dry_run:
        shown = [{"booking_id": str(f.booking_id), "group_id": str(f.group_id)} for f in found]
    else:
        shown = [await stored_about(ledger, master, f.booking_id, f.group_id) for f in found]
    return {"customer": email, "bookings": shown}
