"""The projector: follows the log and keeps the read models, each event applied exactly once.

One process at a time projects; each batch, its checkpoint and what it sets aside are one
transaction that commits only under the newest epoch (decision 0012). Batches are small, so that
readers wait little. An event that cannot be applied parks its group, visibly; others go on.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial

from services.query.projection.batch import Apps, Change, apply_batch, halving, set_aside
from services.query.projection.decrypt import Poison
from services.query.projection.log_reader import LIVE_BATCH, following
from services.query.projection.prefetch import read_ahead
from services.query.projection.schema import SCHEMA, prepare, session_settings, sql
from shared.eventlog.checkpoint import Checkpoint
from shared.eventlog.election import LEASE_SECONDS, Election, Resigned, Term
from shared.eventlog.privacy import MasterKey
from shared.eventlog.wakeup import Wakeup
from shared.runtime.fault_points import reached
from shared.runtime.loops import running
from shared.runtime.postgres import BoundedPool, Connection, Pool
from shared.runtime.settings import OnPoison

READ_AHEAD = 2
_log = logging.getLogger(__name__)


class Projector:
    """Runs in any number of processes: one of them is elected and projects.

    `on_poison`: "park" sets the group aside; "stop" projects nothing past the event, and another
    process, whose code may be newer, tries.
    """

    def __init__(
        self,
        dsn: str,
        master: MasterKey,
        schema: str = SCHEMA,
        batch: int = LIVE_BATCH,
        on_poison: OnPoison = "park",
    ) -> None:
        self._dsn = dsn
        self._master = master
        self._schema = schema
        self._batch = batch
        self._on_poison = on_poison
        self._apps = Apps()
        self._election = Election(dsn, f"projector {schema}")

    async def run(self) -> None:
        """Project whenever elected, until `stop()`."""
        await self._election.run(self._project)

    def stop(self) -> None:
        self._election.stop()

    async def _project(self, term: Term) -> None:
        await prepare(self._dsn, self._schema)
        wakeup = Wakeup(self._dsn)
        async with _pool(self._dsn, self._schema) as pool, running(wakeup):
            position = await self._checkpoint(term, pool).take()
            batches = following(pool, wakeup, self._master, self._batch).follow(position)
            async with read_ahead(batches, READ_AHEAD) as ahead, pool.acquire() as connection:
                async for changes in ahead:
                    await halving(partial(self._commit, term, connection), changes)

    async def _commit(self, term: Term, connection: Connection, changes: Sequence[Change]) -> None:
        term.ensure_current()
        reached("after_read")
        after, to = changes[0].position - 1, changes[-1].position
        async with connection.transaction():
            await self._checkpoint(term, connection).move(after, to)
            # In a statement of its own: one that waited for the move sees what was before it.
            aside = await set_aside(connection, changes)
            self._note(await apply_batch(connection, changes, aside, self._apps))
            reached("in_projection")
        reached("after_projection")

    def _checkpoint(self, term: Term, source: Pool | Connection) -> Checkpoint:
        statements = sql("checkpoint_take"), sql("checkpoint_move")
        return Checkpoint(self._schema, source.fetchval, *statements, (term.epoch,))

    def _note(self, poisons: Sequence[Poison]) -> None:
        for one in poisons:
            _log.error(
                "the event at position %d (%s, group %s) cannot be applied: %s",
                one.position,
                one.topic,
                one.group_id,
                one.reason,
            )
        if poisons and self._on_poison == "stop":
            raise Resigned(f"the projection stops at position {poisons[0].position}")


@asynccontextmanager
async def _pool(dsn: str, schema: str) -> AsyncIterator[Pool]:
    pool = await BoundedPool(
        dsn,
        size=2,
        least=2,
        server_settings={
            **session_settings(schema, "seatledger projector"),
            # what a crash takes back, checkpoint and all, is projected again; and the flush that
            # bookings wait for is not held up by others
            "synchronous_commit": "off",
            # a projector that is frozen within a transaction must not keep the next one out
            "idle_in_transaction_session_timeout": str(int(LEASE_SECONDS * 1000)),
        },
    )
    try:
        yield pool
    finally:
        pool.terminate()
