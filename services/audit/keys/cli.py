"""`seatledger master-key`: makes a new master key and rotates to it under running services."""

from __future__ import annotations

import asyncio
import base64
import secrets
from typing import Any

import typer

from services.audit.keys.rotation import UnknownKey, rotate
from services.audit.session import refused
from shared.eventlog.master_keys import master_on
from shared.runtime.cli import AsJson, note, print_rows, progress
from shared.runtime.postgres import connected
from shared.runtime.settings import MASTER_KEY_BYTES, read_settings

app = typer.Typer(help="The master key: made, and replaced.", no_args_is_help=True)


@app.command("new", epilog="Example: seatledger master-key new > next.key")
def new_key() -> None:
    """Print 32 random bytes in base64, for SEATLEDGER_MASTER_KEY."""
    typer.echo(base64.b64encode(secrets.token_bytes(MASTER_KEY_BYTES)).decode())


@app.command("rotate", epilog="Example: seatledger master-key rotate")
def rotate_key(as_json: AsJson = False) -> None:
    """Seal everything that SEATLEDGER_OTHER_MASTER_KEYS sealed under SEATLEDGER_MASTER_KEY.

    The services run on, given both. Broken off, it goes on where it was; the ledger is not touched.
    Decision 0030 has the steps.
    """
    try:
        row = asyncio.run(_rotate())
    except UnknownKey as error:
        raise refused(str(error)) from None
    print_rows([row], as_json)
    if not as_json:
        note("The key that signs checkpoints is new too: publish `seatledger checkpoint key`.")


async def _rotate() -> dict[str, Any]:
    settings = read_settings()
    async with connected(settings.database_dsn) as connection:
        master = await master_on(connection, settings)
        with progress() as bar:
            task = bar.add_task("sealing anew", total=None)
            done = await rotate(connection, master, lambda more: bar.advance(task, more))
    return {**done, "master_key": master.fingerprint.hex()}
