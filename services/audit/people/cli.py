"""`seatledger erase`: erases a person's data after showing what it found and asking for consent.

Exit status 1 when nobody was found, or when some bookings could not be searched.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

import asyncpg
import typer

from services.audit.history.found import Found, Unopened, booking_details, bookings_of
from services.audit.people.erasing import Eraser, NotErased, eraser
from services.audit.postgres import Ledger, open_ledger
from services.audit.session import BROKEN, agreed, refused
from shared.booking_api.details import SeatDetails
from shared.eventlog.master_keys import load_master
from shared.eventlog.privacy import MasterKey
from shared.runtime.cli import AsJson, note, print_rows, progress
from shared.runtime.postgres import explained
from shared.runtime.settings import ConfigurationError, Settings, read_settings

Email = Annotated[str | None, typer.Option(help="Everything of this e-mail address.")]
Slug = Annotated[str | None, typer.Option("--app", help="Only in this app; in all if left out.")]
NOBODY = "nobody was found: the ledger knows no booking of that mailbox, or they were erased"

app = typer.Typer(help="Erase a person.")


@dataclass(frozen=True, slots=True)
class Search:
    """Whom an operator asked for and what was found; `unsearched`: in how many bookings attendees
    could not be looked for."""

    email: str | None
    found: Sequence[Found]
    unsearched: int

    def says(self) -> None:
        """What the operator has to know of it, on stderr."""
        if not self.found:
            note(NOBODY)
        if self.unsearched:
            what = f"attendees of {self.unsearched} bookings not searched"
            note(f"{what}: see seatledger customer index")

    @property
    def status(self) -> int:
        return 0 if self.found and not self.unsearched else BROKEN


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

    A booking of theirs goes with all whom it names; of others' bookings only their entry goes.
    Backups and the write-ahead log keep it until they expire; see decision 0009.
    """
    if (booking is None) == (customer is None):
        raise typer.BadParameter("give either --booking or --customer")
    settings = read_settings()
    with explained():
        search = asyncio.run(_search(settings, booking, customer, app_slug))
        if dry_run or not search.found:
            print_rows(map(_would_erase, search.found), as_json)
        else:
            agreed(_question(search), yes)
            print_rows([_carried_out(settings, search, rewrite)], as_json)
    search.says()
    raise typer.Exit(search.status)


def _carried_out(settings: Settings, search: Search, rewrite: bool) -> dict[str, Any]:
    try:
        return asyncio.run(_erase(settings, search, rewrite))
    except NotErased as error:
        raise refused(str(error)) from None


def _would_erase(one: Found) -> dict[str, Any]:
    return {
        "booking_id": str(one.booking_id),
        "group_id": str(one.group_id),
        "erases": "booking" if one.is_customer else "attendee",
        "names": one.names,
    }


def _question(search: Search) -> str:
    """What goes, and whose names go with it."""
    whole = [one for one in search.found if one.is_customer]
    lines = [f"bookings to erase: {len(whole)}"]
    lines += [f"  {one.booking_id} of {', '.join(one.names) or 'nobody'}" for one in whole]
    lines.append(f"bookings to take them out of: {len(search.found) - len(whole)}")
    lines += [
        f"  {one.booking_id}: {', '.join(each.name for each in one.attendees(search.email or ''))}"
        for one in search.found
        if not one.is_customer
    ]
    return "\n".join((*lines, "Erase this for ever?"))


async def _erase(settings: Settings, search: Search, rewrite: bool) -> dict[str, Any]:
    whole = {one.booking_id: one.group_id for one in search.found if one.is_customer}
    async with AsyncExitStack() as stack:
        at_work = await stack.enter_async_context(eraser(settings.database_dsn))
        bar = stack.enter_context(progress())
        task = bar.add_task("erasing", total=len(search.found))
        erased = await at_work.erase(whole, lambda more: bar.advance(task, more))
        attendees = 0
        if len(whole) < len(search.found):
            attendees = await _take_out(at_work, await load_master(settings), search)
        cleaned = await _clean(at_work, rewrite)
    return {
        "bookings": len(search.found),
        "erased_now": erased,
        "attendees_erased": attendees,
        "not_searched": search.unsearched,
        "cleaned": cleaned,
    }


async def _take_out(at_work: Eraser, master: MasterKey, search: Search) -> int:
    """Out of others' bookings; how many entries named them."""
    among = [one for one in search.found if not one.is_customer]
    return sum([await at_work.erase_attendees(one, search.email or "", master) for one in among])


async def _clean(at_work: Eraser, rewrite: bool) -> bool:
    try:
        await at_work.clean(rewrite)
    except asyncpg.InsufficientPrivilegeError as error:
        note(f"erased; this role may not clean the tables up: {error}")
        return False
    return True


async def _search(
    settings: Settings, booking: UUID | None, email: str | None, slug: str | None
) -> Search:
    async with open_ledger(settings.database_dsn) as ledger:
        if booking is None:
            return await search_for(ledger, await load_master(settings), email or "", slug)
        group_id = await ledger.group_of(booking)
        if group_id is None:
            raise refused(f"the ledger knows no booking {booking}")
        details = await _names_of(ledger, settings, booking)
        return Search(None, [Found(booking, group_id, details)], 0)


async def _names_of(ledger: Ledger, settings: Settings, booking: UUID) -> SeatDetails:
    """Nobody where it cannot be opened: erasing one booking by its id needs no name."""
    try:
        return await booking_details(ledger, await load_master(settings), booking)
    except (Unopened, ConfigurationError):
        note(f"booking {booking} cannot be opened: nobody can say whom it names")
        return SeatDetails()


async def search_for(ledger: Ledger, master: MasterKey, email: str, slug: str | None) -> Search:
    """Every booking that names the person, of one app or all."""
    app_id = None
    if slug is not None and (app_id := await ledger.app_id(slug)) is None:
        raise refused(f"there is no app with the slug {slug!r}: see seatledger apps list")
    try:
        found = await bookings_of(ledger, master, email, app_id)
    except Unopened as error:
        raise refused(str(error)) from None
    return Search(email, found, await ledger.unindexed())
