"""The auditor's commands of `seatledger`: log, show, verify. They only read."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Annotated, Any, TypeVar
from uuid import UUID

import typer
from rich.console import Console

from services.audit.findings import Finding
from services.audit.history import BrokenHistory, HistoryEntry, brief, history_of
from services.audit.postgres import Ledger, open_ledger
from services.audit.states import describe, group_at, moment_of
from services.audit.verify import Verdict, verify
from shared.cli import AsJson, note, print_json_lines, print_rows, progress, stamp
from shared.eventlog.record import StoredRecord
from shared.settings import read_settings

T = TypeVar("T")
BROKEN = 1
app = typer.Typer(help="The ledger's history, and whether it is intact.")
COLUMNS = (
    "position",
    "version",
    "time",
    "event",
    "booking",
    "actor",
    "what",
    "seats_after",
)


@app.command("log", epilog="Example: seatledger log 58190fc6-1ec0-4ebb-b627-7ce6aa9fc703")
def show_log(
    booking: Annotated[UUID, typer.Argument(help="A group's or a seat booking's id.")],
    as_json: AsJson = False,
) -> None:
    """Show what happened to a booking, who did it, and the seats after each event."""
    records = _auditing(lambda ledger: _stream_of(ledger, booking))
    try:
        entries = list(history_of(booking, records))
    except BrokenHistory as error:
        raise _refused(f"{error}; see seatledger verify") from None
    if not entries:
        raise _refused(f"the ledger knows no booking {booking}")
    rows = [_json_entry(entry) if as_json else _table_entry(entry) for entry in entries]
    print_rows(rows, as_json, COLUMNS)


@app.command("show", epilog="Example: seatledger show 58190fc6-… --as-of 2030-05-01T12:00:00Z")
def show_booking(
    booking: Annotated[UUID, typer.Argument(help="A group's or a seat booking's id.")],
    as_of: Annotated[
        str | None, typer.Option(help="A time or a position; now if left out.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show what a booking is, or what it was at a time or position."""
    try:
        moment = moment_of(as_of)
    except ValueError:
        raise typer.BadParameter(f"{as_of!r} is neither a position nor an ISO 8601 time") from None
    records = _auditing(lambda ledger: _stream_of(ledger, booking))
    try:
        found = group_at(moment, records)
    except BrokenHistory as error:
        raise _refused(f"{error}; see seatledger verify") from None
    shown = describe(booking, *found) if found is not None else None
    if shown is None:
        raise _refused(f"the ledger knows no booking {booking} as of {as_of or 'now'}")
    _print_state(shown, as_json)


@app.command("verify", epilog="Example: seatledger verify --json")
def verify_ledger(
    counts: Annotated[
        bool, typer.Option(help="Fold every group and compare the seat counts in its events.")
    ] = True,
    as_json: AsJson = False,
) -> None:
    """Check positions, versions, hash chain, seat counts and the log's end; 1 when broken."""
    verdict = _auditing(lambda ledger: _verify(ledger, counts))
    if as_json:
        print_json_lines([_json_verdict(verdict)])
    else:
        _print_verdict(verdict)
    if not verdict.is_intact:
        raise typer.Exit(BROKEN)


def _auditing(work: Callable[[Ledger], Coroutine[Any, Any, T]]) -> T:
    async def run() -> T:
        async with open_ledger(read_settings().database_dsn) as ledger:
            return await work(ledger)

    return asyncio.run(run())


async def _stream_of(ledger: Ledger, booking: UUID) -> list[StoredRecord]:
    group_id = await ledger.group_of(booking)
    return [] if group_id is None else await ledger.stream(group_id)


async def _verify(ledger: Ledger, counts: bool) -> Verdict:
    head = await ledger.head()
    with progress() as bar:
        work = bar.add_task("verifying", total=head.position * (1 + counts))
        return await verify(ledger, head, counts, lambda more: bar.advance(work, more))


def _refused(sentence: str) -> typer.Exit:
    note(sentence)
    return typer.Exit(BROKEN)


def _print_state(shown: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json_lines([shown])
        return
    seats = shown.pop("seat_bookings", [])
    print_rows([{"field": name, "value": value} for name, value in shown.items()], False)
    if seats:
        print_rows(seats, False)


def _table_entry(entry: HistoryEntry) -> dict[str, Any]:
    return {
        "position": entry.position,
        "version": entry.version,
        "time": stamp(entry.recorded_at),
        "event": entry.event,
        "booking": entry.booking_id,
        "actor": entry.actor,
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


def _json_verdict(verdict: Verdict) -> dict[str, Any]:
    return {
        "intact": verdict.is_intact,
        "position": verdict.head.position,
        "hash": verdict.head.hash.hex(),
        "events": verdict.event_count,
        "groups": verdict.group_count,
        "first_bad_position": verdict.first_bad_position,
        "findings": [_json_finding(finding) for finding in verdict.findings],
        "chain_seconds": round(verdict.chain_seconds, 3),
        "fold_seconds": round(verdict.fold_seconds, 3),
    }


def _json_finding(finding: Finding) -> dict[str, Any]:
    group = str(finding.group_id) if finding.group_id is not None else None
    return {
        "check": finding.check,
        "position": finding.position,
        "group_id": group,
        "reason": finding.sentence,
    }


def _print_verdict(verdict: Verdict) -> None:
    console = Console(highlight=False, soft_wrap=True)
    if verdict.is_intact:
        console.print(
            f"[green]intact[/]: {verdict.event_count:,} events of {verdict.group_count:,} groups, "
            f"up to position {verdict.head.position} with hash {verdict.head.hash.hex()}"
        )
        return
    where = verdict.first_bad_position
    console.print(f"[red]broken[/]: {f'first at position {where}' if where else 'see below'}")
    print_rows([_json_finding(finding) for finding in verdict.findings], False)
