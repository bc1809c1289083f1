"""Forgets what need not be kept: answers to idempotency keys that nobody repeats any more, and what
refused seat bookings had asked for.

A key stays known for ever by the event it led to, so forgetting its answer never books twice: it is
then answered 422 `idempotency_key_expired` (decision 0005). How many were refused stays known; the
ledger itself is never pruned.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated

import asyncpg
import typer

from shared.eventlog.statements import statement
from shared.runtime.cli import AsJson, print_rows
from shared.runtime.postgres import DATABASE_ERRORS, connected
from shared.runtime.settings import read_settings

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
    """Forget answers to Idempotency-Keys and refusals older than that; bookings and their history
    stay."""
    settings = read_settings()
    kept = timedelta(days=settings.keep_answers_days if days is None else days)

    async def forget() -> Pruned:
        async with connected(settings.database_dsn) as connection:
            return await prune(connection, kept)

    print_rows([asdict(asyncio.run(forget()))], as_json)


@dataclass(frozen=True, slots=True)
class Pruned:
    """How many were forgotten."""

    answers: int
    refusals: int


async def prune(source: _Source, kept: timedelta, batch: int = BATCH) -> Pruned:
    """What is older than `kept` is forgotten, in short statements."""
    before = datetime.now(UTC) - kept
    return Pruned(
        await _prune(source, "prune_answers", before, batch),
        await _prune(source, "prune_refusals", before, batch),
    )


async def _prune(source: _Source, name: str, before: datetime, batch: int) -> int:
    count = 0
    while True:
        status: str = await source.execute(statement(name), before, batch)
        found = int(status.rpartition(" ")[2])
        count += found
        if found < batch:
            return count


@asynccontextmanager
async def pruning(source: _Source, kept: timedelta) -> AsyncIterator[None]:
    """Inside the block what is old is forgotten every hour; any number may do it."""
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
        except DATABASE_ERRORS as error:
            _log.warning("what is old was not forgotten: %s", type(error).__name__)
        await asyncio.sleep(PAUSE_SECONDS)
