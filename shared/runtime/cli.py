"""Output of the commands: a table for people, JSON lines for machines, nothing cut short."""

from __future__ import annotations

import gc
import json
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.live import Live
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON lines instead of a table.")]
PIPE_WIDTH = 10_000
GC_THRESHOLD = 500_000
Row = Mapping[str, Any]


def print_rows(rows: Iterable[Row], as_json: bool, columns: Sequence[str] = ()) -> None:
    """One JSON object a line, or one table; ids and keys are never broken over lines."""
    if as_json:
        print_json_lines(rows)
        return
    _console().print(_table(list(rows), columns))


def watch_rows(read: Callable[[], Sequence[Row]], seconds: float = 1.0) -> None:
    """One table, drawn anew every second until Ctrl-C."""
    with Live(_table(read(), ()), console=_console()) as live, suppress(KeyboardInterrupt):
        while True:
            time.sleep(seconds)
            live.update(_table(read(), ()), refresh=True)


def print_json_lines(rows: Iterable[Row]) -> None:
    """One JSON object a line, as they come: for lists of any length."""
    for row in rows:
        sys.stdout.write(json.dumps(row, ensure_ascii=False, default=str) + "\n")


def note(text: str) -> None:
    """A word to the person at the terminal, beside the output."""
    Console(stderr=True).print(text, style="yellow", highlight=False)


def stamp(at: datetime | None) -> str | None:
    """A time in UTC, as people and machines read it."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds") if at is not None else None


def progress() -> Progress:
    """A progress bar on stderr, drawn only on a terminal."""
    console = Console(stderr=True)
    return Progress(
        SpinnerColumn(),
        *Progress.get_default_columns(),
        TextColumn("{task.completed:,.0f}"),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )


def _table(found: Sequence[Row], columns: Sequence[str]) -> Table:
    names = list(columns) or list(found[0] if found else ("nothing",))
    table = Table()
    for name in names:
        table.add_column(name, overflow="fold", no_wrap=name.endswith(("id", "key", "booking")))
    for row in found:
        table.add_row(*(_cell(row.get(name)) for name in names))
    return table


def collect_garbage_rarely() -> None:
    """For a command that makes many objects and no cycles: a quarter of its time."""
    gc.set_threshold(GC_THRESHOLD)


def _console() -> Console:
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = PIPE_WIDTH
    return console


def _cell(value: object) -> str:
    return "" if value is None else str(value)
