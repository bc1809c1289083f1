"""Builds the read models anew beside the live ones, verifies them, and switches: nobody waits.

Several processes fill the next tables, each its share of the groups; then the indexes are made, the
result is compared with an independent fold of the log, and one transaction puts it in the place of
the live one, which is read until then. Killed at any moment it goes on where it was.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from importlib import resources
from importlib.resources.abc import Traversable

import asyncpg

from services.query.projection.batch import Change, apply_batch, halving, set_aside
from services.query.projection.log_reader import read
from services.query.projection.rebuild.compare import Difference, chunks, first_difference, stranger
from services.query.projection.rebuild.worker import (
    Comparison,
    Processes,
    Share,
    Target,
    compare,
    work,
)
from services.query.projection.schema import (
    SCHEMA,
    create_indexes,
    create_tables,
    prepare,
    session_settings,
)
from shared.eventlog.follower import Follower
from shared.eventlog.privacy import MasterKey
from shared.eventlog.statements import statements_of
from shared.runtime.postgres import Connection

sql = statements_of(__package__)

NEXT = f"{SCHEMA}_next"
_OLD = f"{SCHEMA}_old"
_LOCK = 5_321_871_004
CLOSE_ENOUGH = 2_000
DROP_SECONDS = 10
POLL_SECONDS = 0.2
_CODE = ("batch.py", "decrypt.py", "read_models")


class RebuildRunning(Exception):
    """Another rebuild is under way."""


class NotEqual(Exception):
    """The new read models are not what the log folds to; the live ones stay."""

    def __init__(self, difference: Difference) -> None:
        super().__init__(str(difference))
        self.difference = difference


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a phase is: `done` of `total`, events or groups."""

    phase: str
    done: int
    total: int


Tell = Callable[[Progress], None]


class Rebuild:
    """One rebuild of this version's read models, from the log."""

    def __init__(
        self, dsn: str, master_key: bytes, workers: int, tell: Tell, *other_keys: bytes
    ) -> None:
        self._dsn = dsn
        self._target = Target(dsn, (master_key, *other_keys), NEXT)
        self._master = MasterKey(master_key, *other_keys)
        self._workers = workers
        self._tell = tell

    async def run(self) -> int:
        """The position that was switched at; RebuildRunning or NotEqual when it was not."""
        await prepare(self._dsn)
        async with _connected(self._dsn, NEXT) as connection:
            if not await connection.fetchval("SELECT pg_try_advisory_lock($1)", _LOCK):
                raise RebuildRunning
            await self._begin(connection)
            with Processes(self._workers) as processes:
                await self._fill(connection, processes)
                self._tell(Progress("indexes", 0, 1))
                await create_indexes(connection)
                await connection.execute("ANALYZE groups, seat_counts, attendees")
                position = await self._fill(connection, processes)
                await self._verify(connection, processes, position)
                await self._fill(connection, processes)
            return await self._switch(connection)

    async def _begin(self, connection: Connection) -> None:
        """Go on with what an interrupted rebuild by the same code left, or start anew."""
        code = fingerprint()
        if await connection.fetchval("SELECT to_regclass($1)", f"{NEXT}.rebuild"):
            state = await connection.fetch(sql("rebuild_state"))
            if state and state[0]["code"] == code:
                self._workers = state[0]["workers"]
                return
        await _drop_old(connection)
        async with connection.transaction():
            await connection.execute(f"DROP SCHEMA IF EXISTS {NEXT} CASCADE")
            await create_tables(connection, NEXT)
            await connection.execute(sql("rebuild_tables"))
            await connection.execute(sql("rebuild_begin"), self._workers, code)

    async def _fill(self, connection: Connection, processes: Processes) -> int:
        """Until the next tables are close behind the log; answers where they are."""
        while True:
            head = await connection.fetchval(sql("head_read"))
            done = min(row["position"] for row in await connection.fetch(sql("rebuild_state")))
            if head - done <= CLOSE_ENOUGH and done:
                break
            await self._work_until(connection, processes, head)
            await connection.execute(sql("rebuild_done"), head)
            if not head:
                break
        position: int = await connection.fetchval(sql("checkpoint_read"))
        return position

    async def _work_until(self, connection: Connection, processes: Processes, until: int) -> None:
        shares = [
            processes.run(work, Share(self._target, number, self._workers, until))
            for number in range(self._workers)
        ]
        pending = set(shares)
        while pending:
            _, pending = await asyncio.wait(pending, timeout=POLL_SECONDS)
            state = await connection.fetch(sql("rebuild_state"))
            done = sum(row["position"] for row in state) // self._workers
            self._tell(Progress("events", done, until))
        for share in shares:
            share.result()

    async def _verify(self, connection: Connection, processes: Processes, position: int) -> None:
        """Nobody writes these tables meanwhile, so that several processes may look at them."""
        total = await connection.fetchval("SELECT count(*) FROM seat_counts")
        found, done = await stranger(connection, position), 0
        parts = (
            Comparison(self._target, ids, position) async for ids in chunks(connection, position)
        )
        async with aclosing(processes.each(compare, parts)) as compared:
            async for count, difference in compared:
                found, done = found or difference, done + count
                self._tell(Progress("verified groups", done, total))
                if found is not None:
                    raise NotEqual(found)

    async def _switch(self, connection: Connection) -> int:
        """The next tables take the live ones' place in one transaction, not behind them."""
        async with connection.transaction():
            # From here on nobody projects; single bookings are read as ever (decision 0007).
            await connection.execute(sql("checkpoint_end").format(schema=SCHEMA))
            await self._catch_up(connection, await connection.fetchval(sql("head_read")))
            position: int = await connection.fetchval(sql("checkpoint_read"))
            await connection.execute("DROP TABLE rebuild")
            await connection.execute(f"ALTER SCHEMA {SCHEMA} RENAME TO {_OLD}")
            await connection.execute(f"ALTER SCHEMA {NEXT} RENAME TO {SCHEMA}")
        await _drop_old(connection)
        return position

    async def _catch_up(self, connection: Connection, head: int) -> None:
        log = Follower(partial(read, connection, self._master))
        after = await connection.fetchval(sql("checkpoint_read"))
        async for changes in log.follow(after, head):
            await halving(partial(_apply, connection), changes)
            await connection.execute(sql("rebuild_done"), changes[-1].position)


async def check(dsn: str, master: MasterKey, tell: Tell) -> Difference | None:
    """The live read models' first difference from the log; None when there is none."""
    async with (
        _connected(dsn, SCHEMA) as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        position = await connection.fetchval(sql("checkpoint_read"))
        total = await connection.fetchval("SELECT count(*) FROM seat_counts")
        return await first_difference(
            connection,
            master,
            position,
            lambda groups: tell(Progress("verified groups", groups, total)),
        )


def fingerprint() -> str:
    """Names the code that makes the read models: a rebuild goes on only with its own."""
    digest = hashlib.sha256()
    for path in sorted(_sources(resources.files("services.query.projection")), key=str):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _sources(folder: Traversable) -> Iterator[Traversable]:
    for name in _CODE:
        entry = folder.joinpath(name)
        if entry.is_file():
            yield entry
        else:
            yield from (one for one in entry.iterdir() if one.name.endswith(".py"))
            yield from entry.joinpath("sql").iterdir()


async def _apply(connection: Connection, changes: Sequence[Change]) -> None:
    async with connection.transaction():
        await apply_batch(connection, changes, await set_aside(connection, changes))


async def _drop_old(connection: Connection) -> None:
    """Drop what nobody reads any more; a stream that still does keeps it for the next time."""
    with suppress(asyncpg.LockNotAvailableError):
        await connection.execute(f"SET lock_timeout = '{DROP_SECONDS}s'")
        await connection.execute(f"DROP SCHEMA IF EXISTS {_OLD} CASCADE")


@asynccontextmanager
async def _connected(dsn: str, schema: str) -> AsyncIterator[Connection]:
    connection = await asyncpg.connect(
        dsn, timeout=10, server_settings=session_settings(schema, "seatledger rebuild")
    )
    try:
        yield connection
    finally:
        await connection.close(timeout=5)
