"""The query side's commands of `seatledger`: how far the followers are, replay, what is parked."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from time import monotonic
from typing import Annotated, Any, TypeVar
from uuid import UUID

import asyncpg
import typer

from services.query.metrics import read_standings
from services.query.projection.parked_groups import NotParked, parked_groups, retry
from services.query.projection.rebuild.compare import Difference
from services.query.projection.rebuild.rebuild import (
    NotEqual,
    Progress,
    Rebuild,
    RebuildRunning,
    check,
)
from services.query.projection.schema import SCHEMA, prepare, session_settings
from shared.eventlog.privacy import MasterKey
from shared.runtime.cli import (
    AsJson,
    collect_garbage_rarely,
    note,
    print_rows,
    progress,
    stamp,
    watch_rows,
)
from shared.runtime.postgres import explained
from shared.runtime.settings import ConfigurationError, Settings, read_settings

T = TypeVar("T")
MAX_WORKERS = 4
DIFFERENT = 1
NEEDED = (
    "the read models cannot be read: the role needs USAGE on the schema "
    f"{SCHEMA}, and SELECT on all tables there and in public"
)
app = typer.Typer(help="Read models: how far they are, replayed from the log, what is parked.")
parked = typer.Typer(help="Groups set aside for an event that could not be applied.")
app.add_typer(parked, name="parked")


@app.command("status")
def show_status(
    watch: Annotated[bool, typer.Option("--watch", help="Draw it anew until Ctrl-C.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show how far each follower of the log is, in events and seconds, and what it set aside."""

    async def read(connection: Connection, _: Settings) -> list[dict[str, Any]]:
        return [
            {
                "follower": one.name,
                "position": one.checkpoint,
                "head": one.head,
                "lag": one.lag,
                "lag_seconds": round(one.age_seconds, 3),
                "parked": one.parked,
                "trouble": one.trouble,
            }
            for one in await read_standings(connection)
        ]

    if watch:
        watch_rows(lambda: _on_read_models(read))
    else:
        print_rows(_on_read_models(read), as_json)


@app.command("replay")
def replay(
    only_check: Annotated[
        bool, typer.Option("--check", help="Compare with the log; replace nothing.")
    ] = False,
    workers: Annotated[
        int | None, typer.Option(min=1, max=32, help="Processes to use; as many as cores, to 4.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Build the read models anew from the log beside the live ones, verify them, and switch.

    Reads and writes go on. Interrupted, it goes on where it was.
    """
    if only_check:
        found = difference_from_log()
        if found is not None:
            note(str(found))
            raise typer.Exit(DIFFERENT)
        print_rows([{"result": "equal to the log"}], as_json)
        return
    settings = read_settings()
    with _Telling() as telling, explained():
        position = _replay(settings, workers or _default_workers(), telling.tell)
        print_rows([{"result": "replaced", "position": position}], as_json)


def difference_from_log() -> Difference | None:
    """Where the live read models part from the log; ConfigurationError says what this needs."""
    settings = read_settings()
    master = MasterKey(*settings.master_keys)
    collect_garbage_rarely()
    with _Telling() as telling, explained():
        try:
            return asyncio.run(check(settings.database_dsn, master, telling.tell))
        except (asyncpg.UndefinedTableError, asyncpg.InsufficientPrivilegeError):
            raise ConfigurationError(NEEDED) from None


def _replay(settings: Settings, workers: int, tell: Callable[[Progress], None]) -> int:
    key, *others = settings.master_keys
    rebuild = Rebuild(settings.database_dsn, key, workers, tell, *others)
    try:
        return asyncio.run(rebuild.run())
    except RebuildRunning:
        note("another replay is under way")
    except NotEqual as error:
        note(f"the new read models differ from the log, the live ones stay: {error}")
    raise typer.Exit(DIFFERENT)


@parked.command("list")
def list_parked(as_json: AsJson = False) -> None:
    """Show the groups that are set aside, since when, at which event, and why."""

    async def read(connection: Connection, _: Settings) -> list[dict[str, Any]]:
        return [
            {
                "group_id": str(one.group_id),
                "position": one.position,
                "version": one.version,
                "event": one.topic,
                "reason": one.reason,
                "parked": stamp(one.parked_at),
                "waiting": one.waiting,
            }
            for one in await parked_groups(connection)
        ]

    print_rows(_on_read_models(read), as_json)


@parked.command("retry")
def retry_parked(
    group: Annotated[UUID, typer.Argument(help="The group's id, as `parked list` shows it.")],
    as_json: AsJson = False,
) -> None:
    """Apply what a group that is set aside has missed, and take it back."""

    async def again(connection: Connection, settings: Settings) -> dict[str, Any]:
        master = MasterKey(*settings.master_keys)
        try:
            poison = await retry(connection, master, group)
        except NotParked:
            raise ConfigurationError(f"group {group} is not parked") from None
        if poison is None:
            return {"group_id": str(group), "result": "taken back"}
        return {
            "group_id": str(group),
            "result": "parked again",
            "position": poison.position,
            "reason": poison.reason,
        }

    result = _on_read_models(again)
    print_rows([result], as_json)
    if "reason" in result:
        raise typer.Exit(DIFFERENT)


class _Telling:
    """Progress for people: a bar a phase, with its rate."""

    def __init__(self) -> None:
        self._bars = progress()
        self._phase = ""
        self._task = self._bars.add_task("", total=None)
        self._began = (0.0, 0)

    def __enter__(self) -> _Telling:
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def tell(self, now: Progress) -> None:
        if now.phase != self._phase:
            self._phase = now.phase
            self._began = (monotonic(), now.done)
            self._bars.remove_task(self._task)
            self._task = self._bars.add_task(now.phase, total=now.total)
        seconds = monotonic() - self._began[0]
        rate = (now.done - self._began[1]) / seconds if seconds > 1 else 0
        text = f"{now.phase}, {rate:,.0f}/s" if rate else now.phase
        self._bars.update(self._task, completed=now.done, total=now.total, description=text)


Connection = asyncpg.Connection


def _default_workers() -> int:
    return min(os.cpu_count() or 1, MAX_WORKERS)


def _on_read_models(work: Callable[[Connection, Settings], Coroutine[Any, Any, T]]) -> T:
    settings = read_settings()

    async def run() -> T:
        async with _read_models(settings.database_dsn) as connection:
            return await work(connection, settings)

    return asyncio.run(run())


@asynccontextmanager
async def _read_models(dsn: str) -> AsyncIterator[Connection]:
    with explained():
        await prepare(dsn)
        connection = await asyncpg.connect(dsn, timeout=10, server_settings=session_settings())
        try:
            yield connection
        finally:
            await connection.close(timeout=2)
