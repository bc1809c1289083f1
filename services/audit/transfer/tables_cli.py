"""`seatledger csv`: CSV files of groups and attendees, streamed from the ledger."""

from __future__ import annotations

import asyncio
import csv
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Annotated, TextIO, TypeAlias
from uuid import UUID

import typer

from services.audit.history.history import BrokenHistory
from services.audit.postgres import Ledger, open_ledger
from services.audit.session import refused
from services.audit.transfer.tables import (
    GROUP_COLUMNS,
    PERSONAL_COLUMNS,
    SEAT_COLUMNS,
    Row,
    folded_groups,
    group_row,
    seat_rows,
)
from shared.booking_api.rendering.spreadsheet import QUOTING
from shared.eventlog.master_keys import load_master
from shared.eventlog.privacy import MasterKey
from shared.runtime.settings import ConfigurationError, read_settings

Slug = Annotated[str | None, typer.Option("--app", help="Only this app's; all if left out.")]
Out = Annotated[Path | None, typer.Option(help="Write here and not to stdout.")]
Rows: TypeAlias = "Callable[[Ledger, UUID | None], AsyncIterator[Row]]"
KEYS_AT_ONCE = 5_000
app = typer.Typer(help="Groups and attendees as CSV.", no_args_is_help=True)


@app.command("groups", epilog="Example: seatledger csv groups --out groups.csv")
def groups(app_slug: Slug = None, out: Out = None) -> None:
    """Every group as it is now, one a line."""

    async def rows(ledger: Ledger, app_id: UUID | None) -> AsyncIterator[Row]:
        async for folded in folded_groups(ledger, app_id):
            yield group_row(folded)

    _write(GROUP_COLUMNS, rows, app_slug, out)


@app.command("attendees", epilog="Example: seatledger csv attendees --personal --out a.csv")
def attendees(
    personal: Annotated[
        bool, typer.Option("--personal", help="With names and addresses: needs the master key.")
    ] = False,
    app_slug: Slug = None,
    out: Out = None,
) -> None:
    """Every seat booking as it is now, one a line; without anything personal unless asked for."""
    columns = SEAT_COLUMNS + (PERSONAL_COLUMNS if personal else ())
    settings = read_settings()

    async def rows(ledger: Ledger, app_id: UUID | None) -> AsyncIterator[Row]:
        master = await load_master(settings) if personal else None
        async with open_ledger(settings.database_dsn) as keys:
            async for folded in folded_groups(ledger, app_id):
                wrapped = await _wrapped(keys, list(folded.booked), master)
                for row in seat_rows(folded, master, wrapped):
                    yield row

    _write(columns, rows, app_slug, out)


async def _wrapped(
    ledger: Ledger, bookings: list[UUID], master: MasterKey | None
) -> dict[UUID, bytes]:
    found: dict[UUID, bytes] = {}
    for start in range(0, len(bookings) if master is not None else 0, KEYS_AT_ONCE):
        found |= await ledger.wrapped_keys(bookings[start : start + KEYS_AT_ONCE])
    return found


def _write(columns: tuple[str, ...], rows: Rows, slug: str | None, out: Path | None) -> None:
    try:
        if out is None:
            asyncio.run(_stream(sys.stdout, columns, rows, slug))
            return
        out.touch(mode=0o600)
        if out.is_file():
            out.chmod(0o600)
        with out.open("w", encoding="utf-8", newline="") as file:
            asyncio.run(_stream(file, columns, rows, slug))
    except BrokenHistory as error:
        raise refused(f"{error}; see seatledger verify") from None
    except OSError as error:
        if error.filename is None:
            raise
        raise ConfigurationError(f"cannot write {error.filename}: {error.strerror}") from None


async def _stream(file: TextIO, columns: tuple[str, ...], rows: Rows, slug: str | None) -> None:
    writer = csv.DictWriter(file, columns, lineterminator="\n", quoting=QUOTING)
    async with open_ledger(read_settings().database_dsn) as ledger:
        app_id = None
        if slug is not None and (app_id := await ledger.app_id(slug)) is None:
            raise refused(f"there is no app with the slug {slug!r}: see seatledger apps list")
        writer.writeheader()
        async for row in rows(ledger, app_id):
            writer.writerow(row)
