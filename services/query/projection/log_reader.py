"""Reads the log for the projection: each event with the key that opens it, in one statement.

Near the log's head batches are small, so that readers wait little; behind it each one is twice as
large as the last, up to a bound, so that whoever is behind catches up.
"""

from __future__ import annotations

from functools import partial

from services.query.projection.batch import Change
from services.query.projection.decrypt import SEALED_TOPICS, Sealed, open_sealed
from services.query.projection.schema import sql
from shared.eventlog.follower import BatchPolicy, Follower
from shared.eventlog.privacy import MasterKey
from shared.eventlog.wakeup import Wakeup
from shared.runtime.postgres import Connection, Pool

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


def following(
    pool: Pool, wakeup: Wakeup, master: MasterKey, batch: int = LIVE_BATCH
) -> Follower[Change]:
    """Follows the log for the projection."""
    policy = BatchPolicy(batch, times=CATCHING_UP, rest_seconds=REST_SECONDS)
    return Follower(partial(read, pool, master), wakeup, policy)
