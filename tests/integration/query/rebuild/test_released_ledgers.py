"""A ledger that an earlier release wrote is projected as that release showed it."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic_core import to_json

from services.query.projection.rebuild.compare import first_difference
from shared.eventlog.privacy import MasterKey
from shared.runtime.postgres import Pool
from tests.harness.events.released_shapes import Released, releases
from tests.integration.query.rebuild.releasing import projected


async def _restore(pool: Pool, released: Released) -> int:
    """The rows, as a backup of that release's database would bring them; the log's position."""
    await pool.executemany(
        "INSERT INTO stored_events (notification_id, originator_id, originator_version, topic,"
        " state, event_id, booking_id, metadata, recorded_at, hash)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        [
            (
                *(one.position, one.group_id, one.version, one.topic, one.state, one.event_id),
                *(one.booking_id, to_json(dict(one.metadata)).decode(), one.recorded_at, one.hash),
            )
            for one in released.records
        ],
    )
    await pool.executemany("INSERT INTO booking_keys VALUES ($1, $2, $3, $4)", released.keys)
    last = released.records[-1]
    await pool.execute("UPDATE log_head SET position = $1, hash = $2", last.position, last.hash)
    return last.position


@pytest.mark.parametrize("released", releases(), ids=lambda one: one.release)
async def test_a_released_ledger_is_shown_as_it_was(
    released: Released, database_url: str, pool: Pool
) -> None:
    position = await _restore(pool, released)
    shown = await projected(database_url, pool, position, released.master)
    assert await pool.fetchval("SELECT count(*) FROM parked") == 0
    assert set(shown) == set(released.shown)
    for booking_id, then in released.shown.items():
        assert _part(shown[booking_id], then) == then, booking_id
    async with pool.acquire() as connection, connection.transaction(isolation="repeatable_read"):
        master = MasterKey(released.master)
        assert await first_difference(connection, master, position) is None


def _part(today: Any, then: Any) -> Any:
    """What of today's answer was there then: a later release may show more, never less."""
    if isinstance(today, dict) and isinstance(then, dict):
        return {name: _part(today.get(name), then[name]) for name in then}
    return today
