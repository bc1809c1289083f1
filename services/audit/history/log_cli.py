"""`seatledger log`: who did what, when and by which request, to a booking, a customer or an app."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

import typer

from services.audit.history.cli import stream_of
from services.audit.history.filters import Filter
from services.audit.history.found import Unopened, bookings_of
from services.audit.history.history import BrokenHistory, HistoryEntry, brief, entry_of, history_of
from services.audit.postgres import Ledger, open_ledger
from services.audit.session import refused
from shared.eventlog.codec import UndecodableEvent, decode_event
from shared.eventlog.follower import records
from shared.eventlog.master_keys import load_master
from shared.runtime.cli import AsJson, print_json_lines, print_rows, stamp
from shared.runtime.settings import Settings, read_settings

COLUMNS = (
    *("position", "version", "time", "event", "booking"),
    *("actor", "request_id", "what", "seats_after"),
)
app = typer.Typer(help="The ledger's history.")


@app.command("log", epilog="Example: seatledger log 58190fc6-1ec0-4ebb-b627-7ce6aa9fc703")
def show_log(
    booking: Annotated[
        UUID | None, typer.Argument(help="A group's or a seat booking's id; the whole log if none.")
    ] = None,
    customer: Annotated[str | None, typer.Option(help="All bookings of this e-mail.")] = None,
    app_slug: Annotated[str | None, typer.Option("--app", help="Only this app's.")] = None,
    since: Annotated[str | None, typer.Option(help="From this ISO 8601 time on.")] = None,
    until: Annotated[str | None, typer.Option(help="Up to this ISO 8601 time.")] = None,
    event: Annotated[str | None, typer.Option(help="Only this type, such as SeatBooked.")] = None,
    actor: Annotated[str | None, typer.Option(help="Only this actor, such as key:<id>.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show what happened, who did it by which request, and the seats after each event."""
    if booking is not None and customer is not None:
        raise typer.BadParameter("give a booking or --customer, not both")
    wanted = Filter(_time(since), _time(until), event, actor)
    try:
        asyncio.run(_show(booking, customer, app_slug, wanted, as_json))
    except BrokenHistory as error:
        raise refused(f"{error}; see seatledger verify") from None
    except Unopened as error:
        raise refused(str(error)) from None


async def _show(
    booking: UUID | None, customer: str | None, slug: str | None, wanted: Filter, as_json: bool
) -> None:
    settings = read_settings()
    async with open_ledger(settings.database_dsn) as ledger:
        app_id = None if slug is None else await _app_id(ledger, slug)
        if booking is not None:
            entries = _listed(await _of_booking(ledger, booking), wanted)
        elif customer is not None:
            entries = _listed(await _of_customer(ledger, settings, customer, app_id), wanted)
        else:
            entries = _of_all(ledger, app_id, wanted)
        await _print(entries, as_json)


async def _print(entries: AsyncIterator[HistoryEntry], as_json: bool) -> None:
    """JSON as it comes, so that a log of any length can be read; a table as a whole."""
    if not as_json:
        print_rows([_table_entry(entry) async for entry in entries], False, COLUMNS)
        return
    async for entry in entries:
        print_json_lines([_json_entry(entry)])


async def _listed(entries: list[HistoryEntry], wanted: Filter) -> AsyncIterator[HistoryEntry]:
    for entry in entries:
        if wanted.takes(entry):
            yield entry


async def _of_booking(ledger: Ledger, booking: UUID) -> list[HistoryEntry]:
    entries = list(history_of(booking, await stream_of(ledger, booking)))
    if not entries:
        raise refused(f"the ledger knows no booking {booking}")
    return entries


async def _of_customer(
    ledger: Ledger, settings: Settings, email: str, app_id: UUID | None
) -> list[HistoryEntry]:
    found = await bookings_of(ledger, await load_master(settings), email, app_id)
    if not found:
        raise refused("the ledger knows no booking of that customer, or they were erased")
    entries: list[HistoryEntry] = []
    for one in found:
        entries += history_of(one.booking_id, await stream_of(ledger, one.booking_id))
    return sorted(entries, key=lambda entry: entry.position)


async def _of_all(
    ledger: Ledger, app_id: UUID | None, wanted: Filter
) -> AsyncIterator[HistoryEntry]:
    pages = ledger.filtered_pages(app_id, wanted.since, wanted.until, wanted.topic, wanted.actor)
    async with aclosing(pages):
        async for rows in pages:
            for entry in _decoded(rows):
                yield entry


def _decoded(rows: Any) -> Iterator[HistoryEntry]:
    for record in records(rows):
        try:
            yield entry_of(record, decode_event(record.topic, record.state))
        except UndecodableEvent as error:
            raise BrokenHistory(f"the event at position {record.position}: {error}") from error


async def _app_id(ledger: Ledger, slug: str) -> UUID:
    found = await ledger.app_id(slug)
    if found is None:
        raise refused(f"there is no app with the slug {slug!r}: see seatledger apps list")
    return found


def _time(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no ISO 8601 time") from None
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)


def _table_entry(entry: HistoryEntry) -> dict[str, Any]:
    return {
        "position": entry.position,
        "version": entry.version,
        "time": stamp(entry.recorded_at),
        "event": entry.event,
        "booking": entry.booking_id,
        "actor": entry.actor,
        "request_id": entry.metadata.get("request_id", ""),
        "what": brief(entry),
        "seats_after": entry.seats_after,
    }


def _json_entry(entry: HistoryEntry) -> dict[str, Any]:
    return {
        "position": entry.position,
        "version": entry.version,
        "time": entry.recorded_at.isoformat(),
        "event": entry.event,
        "event_id": str(entry.event_id),
        "group_id": str(entry.group_id),
        "booking_id": str(entry.booking_id),
        "actor": entry.actor,
        "metadata": dict(entry.metadata),
        "changes": dict(entry.changes),
        "current_seats": entry.current_seats,
        "max_seats": entry.max_seats,
    }
