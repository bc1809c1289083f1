"""The log as the projection reads it: each event with the key that opens it, in one statement.

Near the log's head batches are small, so that readers wait little; behind it each one is twice as
large as the last, up to a bound, so that whoever is behind catches up.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from services.query.connection import Connection, Pool
from services.query.projection.batch import Change
from services.query.projection.decrypt import SEALED_TOPICS, Sealed, open_sealed
from services.query.projection.schema import sql
from services.query.throttle import Rest
from shared.eventlog.privacy import MasterKey
from shared.eventlog.wakeup import Wakeup

LIVE_BATCH = 200
REST_SECONDS = 0.02
"""Between two looks near the head: lists wait for it, single bookings do not."""
CATCHING_UP = 4
"""How many live batches the largest one is."""


async def read(
    source: Pool | Connection, master: MasterKey, after: int, limit: int
) -> list[Change]:
    """At most `limit` events after `after`, ready to apply."""
    rows = await source.fetch(sql("projection_read"), after, limit, SEALED_TOPICS)
    return [open_sealed(Sealed(*row), master) for row in rows]


async def follow(
    pool: Pool, wakeup: Wakeup, master: MasterKey, after: int, batch: int = LIVE_BATCH
) -> AsyncIterator[list[Change]]:
    """Non-empty batches of the events after `after`, for ever."""
    limit, is_behind, rest = batch, False, Rest(REST_SECONDS)
    while True:
        if not is_behind:
            await rest.take()
        news = wakeup.token()
        changes = await read(pool, master, after, limit)
        if changes:
            yield changes
            after = changes[-1].position
        else:
            await wakeup.wait(news)
        is_behind = len(changes) == limit
        limit = min(2 * limit, CATCHING_UP * batch) if is_behind else batch
