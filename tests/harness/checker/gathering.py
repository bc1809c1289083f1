"""Gathers a run's evidence by plain SQL: log, head, read models, and what clients saw."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import asyncpg

from services.query.projection.schema import session_settings
from shared.eventlog.record import StoredRecord
from tests.harness.checker.evidence import (
    CountRow,
    Evidence,
    Operation,
    Published,
    ReadModels,
    Recovery,
    SeatRow,
)
from tests.harness.waiting import until

LOG = """
SELECT notification_id, originator_id, originator_version, topic, state, event_id, booking_id,
       metadata, recorded_at, hash
  FROM stored_events
 ORDER BY notification_id
"""
PROJECTED_SECONDS = 60.0


async def gather_evidence(
    dsn: str,
    operations: Sequence[Operation] = (),
    *,
    followed: Sequence[UUID] | None = None,
    published: Sequence[Published] | None = None,
    recoveries: Sequence[Recovery] = (),
    with_read_models: bool = False,
) -> Evidence:
    """Everything there is to judge, once nobody writes any more."""
    connection = await asyncpg.connect(dsn, timeout=10, server_settings=session_settings())
    try:
        head = await connection.fetchrow("SELECT position, hash FROM log_head")
        assert head is not None
        log = [_record(row) for row in await connection.fetch(LOG)]
        models = await read_models(connection) if with_read_models else None
    finally:
        await connection.close()
    return Evidence(
        operations, log, head["position"], head["hash"], models, followed, published, recoveries
    )


async def read_models(connection: asyncpg.Connection[asyncpg.Record]) -> ReadModels:
    """The projection's tables as they are."""
    counts = await connection.fetch(
        "SELECT group_id, version, current_seats, max_seats FROM seat_counts"
    )
    seats = await connection.fetch("SELECT booking_id, state, seats FROM attendees")
    checkpoint = await connection.fetchval("SELECT position FROM checkpoint")
    return ReadModels(
        {row[0]: CountRow(row[1], row[2], row[3]) for row in counts},
        {row[0]: SeatRow(row[1], row[2]) for row in seats},
        checkpoint,
    )


async def head_position(dsn: str) -> int:
    """Where the log ends now."""
    connection = await asyncpg.connect(dsn, timeout=10)
    try:
        return int(await connection.fetchval("SELECT position FROM log_head"))
    finally:
        await connection.close()


PROJECTED = """
SELECT (SELECT position FROM checkpoint) >= (SELECT position FROM log_head)
"""
RELAYED = """
SELECT (SELECT checkpoint FROM followers WHERE name = 'relay') >= (SELECT position FROM log_head)
"""


async def until_projected(dsn: str, seconds: float = PROJECTED_SECONDS) -> float:
    """Waits until the read models are at the head; how long that took."""
    return await _until_true(dsn, PROJECTED, seconds, "the projection at the head")


async def until_relayed(dsn: str, seconds: float = PROJECTED_SECONDS) -> float:
    """Waits until the relay's checkpoint is at the head; how long that took."""
    return await _until_true(dsn, RELAYED, seconds, "the relay at the head")


async def _until_true(dsn: str, sql: str, seconds: float, what: str) -> float:
    connection = await asyncpg.connect(dsn, timeout=10, server_settings=session_settings())
    try:
        return await until(lambda: connection.fetchval(sql), seconds, what)
    finally:
        await connection.close()


def published_of(message_id: str, body: bytes) -> Published:
    """A message of `bookings.events` as the checker takes it."""
    fields: dict[str, Any] = json.loads(body)
    return Published(
        UUID(message_id),
        UUID(fields["group_id"]),
        fields["version"],
        fields["part"],
        UUID(fields["booking_id"]),
        body,
    )


def _record(row: asyncpg.Record) -> StoredRecord:
    fields = list(row)
    fields[7] = json.loads(fields[7])
    return StoredRecord(*fields)
