"""The processes that fill the next read models, each its share of the groups, and compare them.

A worker's rows and how far it is are one transaction, conditional on where it was: killed at any
moment it goes on from there, and a forgotten twin of it writes nothing.
"""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
import os
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from types import TracebackType
from typing import Self, TypeVar
from uuid import UUID

import asyncpg

from services.query.projection.batch import Apps, Change, apply_batch, halving, set_aside
from services.query.projection.decrypt import SEALED_TOPICS, Sealed, open_sealed
from services.query.projection.rebuild.compare import Difference, difference_among
from services.query.projection.schema import session_settings
from shared.eventlog.checkpoint import Checkpoint
from shared.eventlog.privacy import MasterKey
from shared.eventlog.statements import statements_of
from shared.runtime.postgres import Connection

sql = statements_of(__package__)

BATCH = 4_000
GC_THRESHOLD = 500_000
A = TypeVar("A")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Target:
    """Where the read models are built, and the keys that open the log."""

    dsn: str
    master_keys: tuple[bytes, ...]
    schema: str

    async def connect(self) -> Connection:
        settings = session_settings(self.schema, "seatledger rebuild")
        return await asyncpg.connect(self.dsn, server_settings=settings)


@dataclass(frozen=True, slots=True)
class Share:
    """Worker `worker` of `workers` brings its groups up to position `until`."""

    target: Target
    worker: int
    workers: int
    until: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """Groups to compare with the log as it was at `position`."""

    target: Target
    group_ids: Sequence[UUID]
    position: int


class Processes:
    """So many processes, started as they are needed, that end with this one, however it ends."""

    def __init__(self, count: int) -> None:
        spawn = multiprocessing.get_context("spawn")
        self._count = count
        self._executor = ProcessPoolExecutor(count, spawn, _begin)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._executor.shutdown(cancel_futures=True)

    def run(self, task: Callable[[A], R], argument: A) -> asyncio.Future[R]:
        """`task(argument)` in one of them."""
        return asyncio.get_running_loop().run_in_executor(self._executor, task, argument)

    async def each(
        self, task: Callable[[A], R], arguments: AsyncIterator[A]
    ) -> AsyncGenerator[R, None]:
        """What `task` makes of each argument, in any order; only a few are under way at once."""
        pending: set[asyncio.Future[R]] = set()
        async for argument in arguments:
            pending.add(self.run(task, argument))
            if len(pending) > 2 * self._count:
                done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
                for one in done:
                    yield one.result()
        for last in asyncio.as_completed(pending):
            yield await last


def _begin() -> None:
    gc.set_threshold(GC_THRESHOLD)  # a batch is many objects and no cycles: a third of the time
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_after, args=(parent,), daemon=True).start()


def _end_after(parent: BaseProcess) -> None:
    parent.join()
    os._exit(1)


def work(share: Share) -> None:
    """Do the share, in a process of its own."""
    asyncio.run(_work(share))


async def _work(share: Share) -> None:
    connection = await share.target.connect()
    try:
        await _Worker(connection, share).run()
    finally:
        await connection.close(timeout=5)


def compare(comparison: Comparison) -> tuple[int, Difference | None]:
    """How many groups were compared, and the first difference."""
    return len(comparison.group_ids), asyncio.run(_compare(comparison))


async def _compare(comparison: Comparison) -> Difference | None:
    connection = await comparison.target.connect()
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            master = MasterKey(*comparison.target.master_keys)
            return await difference_among(
                connection, master, comparison.position, comparison.group_ids
            )
    finally:
        await connection.close(timeout=5)


class _Worker:
    def __init__(self, connection: Connection, share: Share) -> None:
        self._connection = connection
        self._share = share
        self._master = MasterKey(*share.target.master_keys)
        self._position = 0
        self._checkpoint = Checkpoint(
            f"rebuild worker {share.worker}",
            connection.fetchval,
            sql("rebuild_take"),
            sql("rebuild_move"),
            (share.worker,),
        )
        self._apps = Apps()

    async def run(self) -> None:
        self._position = await self._checkpoint.take()
        while self._position < self._share.until:
            changes = await self._next()
            if changes:
                await halving(self._apply, changes)
            if len(changes) < BATCH:
                await self._move(self._share.until)

    async def _next(self) -> list[Change]:
        share = self._share
        stretch = (self._position, share.until, share.workers, share.worker)
        rows = await self._connection.fetch(sql("rebuild_read"), *stretch, BATCH, SEALED_TOPICS)
        return [open_sealed(Sealed(*row), self._master) for row in rows]

    async def _apply(self, changes: Sequence[Change]) -> None:
        before = self._position
        try:
            async with self._connection.transaction():
                await self._move(changes[-1].position)
                aside = await set_aside(self._connection, changes)
                await apply_batch(self._connection, changes, aside, self._apps)
        except BaseException:
            self._position = before
            raise

    async def _move(self, position: int) -> None:
        await self._checkpoint.move(self._position, position)
        self._position = position
