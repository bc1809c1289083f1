"""Session of an audit command: a connection that only reads, and refusals told in one line."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import typer

from services.audit.postgres import Ledger, open_ledger
from shared.runtime.cli import note
from shared.runtime.settings import read_settings

T = TypeVar("T")
BROKEN = 1


def auditing(work: Callable[[Ledger], Coroutine[Any, Any, T]]) -> T:
    """Does the work in a session that cannot write."""

    async def run() -> T:
        async with open_ledger(read_settings().database_dsn) as ledger:
            return await work(ledger)

    return asyncio.run(run())


def refused(sentence: str) -> typer.Exit:
    """The exit to raise, with the reason said on stderr."""
    note(sentence)
    return typer.Exit(BROKEN)


def agreed(question: str, yes: bool) -> None:
    """Returns when the operator says yes, here or by `--yes`; raises the exit otherwise."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise refused("not on a terminal: say --yes to do it, --dry-run to see what it would be")
    if not typer.confirm(question, err=True):
        raise refused("nothing was done")
