"""`seatledger export` and `seatledger import`: the ledger as JSON lines, to and from a file."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from services.audit.postgres import LedgerMoved, open_ledger, open_writer
from services.audit.transfer.json_lines import BadLine
from services.audit.transfer.transfer import (
    TransferRefused,
    export_events,
    export_keys,
    import_events,
    import_keys,
)
from shared.runtime.cli import AsJson, collect_garbage_rarely, note, print_rows, progress
from shared.runtime.settings import ConfigurationError, read_settings

T = TypeVar("T")
REFUSED = 1
KeysOut = Annotated[
    Path | None, typer.Option("--keys", help="Booking keys too, wrapped, into this file (0600).")
]
KeysIn = Annotated[
    Path | None,
    typer.Option("--keys", exists=True, dir_okay=False, help="The booking keys' file."),
]

app = typer.Typer(help="The ledger, out and in again.")


@app.command("export", epilog="Example: seatledger export ledger.jsonl --keys keys.jsonl")
def export_ledger(
    file: Annotated[Path, typer.Argument(dir_okay=False, help="Continued if it is there.")],
    keys: KeysOut = None,
    as_json: AsJson = False,
) -> None:
    """Write the ledger as JSON lines, sealed as stored; started again, it goes on where it was."""

    async def work() -> dict[str, Any]:
        async with open_ledger(read_settings().database_dsn) as ledger:
            with progress() as bar:
                task = bar.add_task("exporting", total=(await ledger.head()).position)
                last = await export_events(ledger, file, lambda more: bar.advance(task, more))
            key_count = await export_keys(ledger, keys) if keys is not None else None
            return {"position": last, "keys": key_count, "file": str(file)}

    print_rows([_run(work())], as_json)


@app.command("import", epilog="Example: seatledger import ledger.jsonl --keys keys.jsonl")
def import_ledger(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="An export.")],
    keys: KeysIn = None,
    as_json: AsJson = False,
) -> None:
    """Fill an empty, migrated ledger from an export: same positions, versions, times and hashes."""

    async def work() -> dict[str, Any]:
        async with open_writer(read_settings().database_dsn) as writer:
            with progress() as bar:
                task = bar.add_task("importing", total=None)
                last = await import_events(writer, file, lambda more: bar.advance(task, more))
                # After the events: AttendeesErased takes the key away that was there before it.
                key_count = await import_keys(writer, keys)
            return {"position": last, "keys": key_count, "file": str(file)}

    print_rows([_run(work())], as_json)


def _run(work: Coroutine[Any, Any, T]) -> T:
    collect_garbage_rarely()
    try:
        return asyncio.run(work)
    except (TransferRefused, LedgerMoved, BadLine) as error:
        note(str(error))
        raise typer.Exit(REFUSED) from None
    except OSError as error:
        if error.filename is None:
            raise
        raise ConfigurationError(f"{error.filename}: {error.strerror}") from None
