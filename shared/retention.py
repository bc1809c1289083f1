"""Forgets what need not be kept: the answers to idempotency keys that nobody repeats any more.

A key stays known for ever by the event it led to, so forgetting its answer never books twice: it is
then answered 422 `idempotency_key_expired` (decision 0005). The ledger itself is never pruned.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Annotated

import asyncpg
import typer

from shared.cli import AsJson, print_rows
from shared.eventlog.statements import statement
from shared.postgres import connected
from shared.settings import read_settings

BATCH = 1_000
PAUSE_SECONDS = 3_600.0
_log = logging.getLogger(__name__)
_Source = asyncpg.Pool | asyncpg.Connection
app = typer.Typer(help="What is kept and for how long.")


@app.command("prune", epilog="Example: seatledger prune --days 90")
def prune_command(
    days: Annotated[
        int | None, typer.Option(min=0, help="SEATLEDGER_KEEP_ANSWERS_DAYS if left out.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Forget answers to Idempotency-Keys older than that; bookings and their history stay."""
    settings = read_settings()
    kept = timedelta(days=settings.keep_answers_days if days is None else days)

    async def forget() -> int:
        async with connected(settings.database_dsn) as connection:
            return await prune(connection, kept)

    print_rows([{"answers": asyncio.run(forget())}], as_json)


async def prune(source: _Source, kept: timedelta, batch: int = BATCH) -> int:
    """How many answers older than `kept` were forgotten, in short statements."""
    before, count = datetime.now(UTC) - kept, 0
    while True:
        status: str = await source.execute(statement("prune_answers"), before, batch)
        found = int(status.rpartition(" ")[2])
        count += found
        if found < batch:
            return count


@asynccontextmanager
async def pruning(source: _Source, kept: timedelta) -> AsyncIterator[None]:
    """Inside the block old answers are forgotten every hour; any number may do it."""
    task = asyncio.create_task(_prune_hourly(source, kept), name="prune")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})


async def _prune_hourly(source: _Source, kept: timedelta) -> None:
    while True:
        try:
            await prune(source, kept)
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            _log.warning("old answers were not forgotten: %s", type(error).__name__)
        await asyncio.sleep(PAUSE_SECONDS)
