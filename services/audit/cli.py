"""The auditor's commands of `seatledger`: log, verify. They only read."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any
from uuid import UUID

import typer
from rich.console import Console

from services.audit.findings import Finding
from services.audit.history import BrokenHistory, HistoryEntry, brief, history_of
from services.audit.postgres import open_ledger
from services.audit.verify import Verdict, verify
from shared.cli import AsJson, note, print_json_lines, print_rows, progress, stamp
from shared.settings import read_settings

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
    try:
        entries = asyncio.run(_history(booking))
    except BrokenHistory as error:
        raise _refused(f"{error}; see seatledger verify") from None
    if not entries:
        raise _refused(f"the ledger knows no booking {booking}")
    rows = [_json_entry(entry) if as_json else _table_entry(entry) for entry in entries]
    print_rows(rows, as_json, COLUMNS)


@app.command("verify", epilog="Example: seatledger verify --json")
def verify_ledger(
    counts: Annotated[
        bool, typer.Option(help="Fold every group and compare the seat counts in its events.")
    ] = True,
    as_json: AsJson = False,
) -> None:
    """Check positions, versions, hash chain, seat counts and the log's end; 1 when broken."""
    verdict = asyncio.run(_verify(counts))
    if as_json:
        print_json_lines([_json_verdict(verdict)])
    else:
        _print_verdict(verdict)
    if not verdict.is_intact:
        raise typer.Exit(BROKEN)


async def _history(booking: UUID) -> list[HistoryEntry]:
    async with open_ledger(read_settings().database_dsn) as ledger:
        group_id = await ledger.group_of(booking)
        if group_id is None:
            return []
        return list(history_of(booking, await ledger.stream(group_id)))


async def _verify(counts: bool) -> Verdict:
    async with open_ledger(read_settings().database_dsn) as ledger:
        head = await ledger.head()
        with progress() as bar:
            work = bar.add_task("verifying", total=head.position * (1 + counts))
            return await verify(ledger, head, counts, lambda more: bar.advance(work, more))


def _refused(sentence: str) -> typer.Exit:
    note(sentence)
    return typer.Exit(BROKEN)


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
