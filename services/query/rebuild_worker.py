"""One of the processes that fill the next read models: it takes a share of the groups.

Its rows and how far it is are one transaction, conditional on where it was: killed at any moment it
goes on from there, and a forgotten twin of it writes nothing.
"""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from multiprocessing.process import BaseProcess
from uuid import UUID

import asyncpg

from services.query.batch import Batch, Change, groups_of, halving
from services.query.connection import Connection
from services.query.opening import open_records, sealed_bookings
from services.query.projection import session_settings, sql
from services.query.read_models import groups
from shared.eventlog.privacy import MasterKey
from shared.eventlog.record import StoredRecord

BATCH = 4_000
GC_THRESHOLD = 500_000
_NO_ID = UUID(int=0)
_NO_TIME = datetime.min


class Superseded(Exception):
    """Another process does this worker's share."""


@dataclass(frozen=True, slots=True)
class Share:
    """Worker `worker` of `workers` brings its groups up to position `until` in `schema`."""

    dsn: str
    master_keys: tuple[bytes, ...]
    schema: str
    worker: int
    workers: int
    until: int


def end_with_parent() -> None:
    """From now on this process ends when its parent does, however that ends."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_after, args=(parent,), daemon=True).start()


def _end_after(parent: BaseProcess) -> None:
    parent.join()
    os._exit(1)


def work(share: Share) -> None:
    """Do the share, in a process of its own."""
    gc.set_threshold(GC_THRESHOLD)  # a batch is many objects and no cycles: a third of the time
    asyncio.run(_work(share))


async def _work(share: Share) -> None:
    connection = await asyncpg.connect(
        share.dsn, server_settings=session_settings(share.schema, "seatledger rebuild")
    )
    try:
        await _Worker(connection, share).run()
    finally:
        await connection.close(timeout=5)


class _Worker:
    def __init__(self, connection: Connection, share: Share) -> None:
        self._connection = connection
        self._share = share
        self._master = MasterKey(*share.master_keys)
        self._position = 0
        self._apps: dict[UUID, UUID] = {}

    async def run(self) -> None:
        state = await self._connection.fetch(sql("rebuild_state"))
        self._position = state[self._share.worker]["position"]
        while self._position < self._share.until:
            changes = await self._next()
            if changes:
                await halving(self._apply, changes)
            if len(changes) < BATCH:
                await self._move(self._share.until)

    async def _next(self) -> list[Change]:
        share = self._share
        rows = await self._connection.fetch(
            sql("rebuild_read"), self._position, share.until, share.workers, share.worker, BATCH
        )
        stored = [
            StoredRecord(row[0], row[1], row[2], row[3], row[4], _NO_ID, row[5], {}, _NO_TIME, b"")
            for row in rows
        ]
        keys = await self._connection.fetch(sql("booking_keys"), sealed_bookings(stored))
        return open_records(stored, {row[0]: row[1] for row in keys}, self._master)

    async def _apply(self, changes: Sequence[Change]) -> None:
        before = self._position
        try:
            async with self._connection.transaction():
                await self._move(changes[-1].position)
                aside = await self._connection.fetchval(sql("parked_among"), groups_of(changes))
                batch = Batch(aside)
                await batch.load(self._connection, changes)
                batch.fold(changes)
                await batch.copy(self._connection, await self._apps_of(batch))
        except BaseException:
            self._position = before
            raise

    async def _move(self, position: int) -> None:
        moved = await self._connection.fetchval(
            sql("rebuild_move"), self._share.worker, self._position, position
        )
        if not moved:
            raise Superseded(f"worker {self._share.worker}")
        self._position = position

    async def _apps_of(self, batch: Batch) -> dict[UUID, UUID]:
        self._apps.update((row.group_id, row.app_id) for row in batch.groups.values())
        unknown = {batch.seats[one].group_id for one in batch.made} - self._apps.keys()
        if unknown:
            found = await groups.load(self._connection, unknown)
            self._apps.update((row.group_id, row.app_id) for row in found.values())
        return self._apps
