"""How far the loops were behind when the load ended, and how long they took to catch up."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

import asyncpg

from services.query.projection.schema import SCHEMA

BEHIND = f"""
SELECT 'relay', h.position - f.checkpoint FROM followers f, log_head h WHERE f.name = 'relay'
UNION ALL
SELECT 'projector', h.position - c.position FROM {SCHEMA}.checkpoint c, log_head h
UNION ALL
SELECT 'due work', h.position - d.position FROM due_checkpoint d, log_head h
"""  # noqa: S608
GIVE_UP_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Drained:
    """Events behind at the end of the load, by follower, and seconds until the last had none."""

    behind: dict[str, int]
    seconds: float

    def __str__(self) -> str:
        each = ", ".join(f"{name} {count}" for name, count in self.behind.items()) or "no follower"
        return f"{each}; drained in {self.seconds:.1f} s"


async def drained(dsn: str) -> Drained:
    """Waits for every follower to reach the head."""
    connection = await asyncpg.connect(dsn)
    began = time.monotonic()
    left = first = await _behind(connection)
    while any(left.values()) and time.monotonic() - began < GIVE_UP_SECONDS:
        await asyncio.sleep(0.05)
        left = await _behind(connection)
    await connection.close()
    return Drained(first, time.monotonic() - began)


async def _behind(connection: asyncpg.Connection[asyncpg.Record]) -> dict[str, int]:
    return {name: behind for name, behind in await connection.fetch(BEHIND)}
