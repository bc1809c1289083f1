"""A group's seat bookings as JSON, a chunk at a time: ten thousand attendees in constant memory.

PostgreSQL writes the text where it can; the rest is rendered here, from the same rows, equally.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from functools import lru_cache
from typing import Any

import asyncpg
from pydantic_core import to_json

from services.query.http.lists.list_query import fragments
from services.query.projection.read_models import attendees
from shared.booking_api.reading.timestamps import Rendering
from shared.booking_api.rendering.bookings import render_booking
from shared.booking_api.rendering.includes import Includes
from shared.booking_api.rendering.views import GroupView
from shared.eventlog.statements import statements_of
from shared.runtime.postgres import Connection

sql = statements_of(__package__)

CHUNK = 500
_NOT_INCLUDES = frozenset({"base", "end"})
_zones_unknown_to_sql: set[str] = set()


def is_rendered_by_sql(below: Includes, rendering: Rendering) -> bool:
    """Whether PostgreSQL can write these includes of seat bookings, with moments as asked."""
    if rendering.pattern is not None or rendering.zone.key in _zones_unknown_to_sql:
        return False
    known = fragments("seat_json")
    return all(
        name in known and name not in _NOT_INCLUDES and not deeper.children
        for name, deeper in below.children.items()
    )


async def knows_zone(connection: Connection, rendering: Rendering) -> bool:
    """Whether the connection shows moments in the zone asked for, until its transaction ends."""
    try:
        async with connection.transaction():
            await connection.fetchval(sql("time_zone"), rendering.zone.key)
    except asyncpg.InvalidParameterValueError:
        _zones_unknown_to_sql.add(rendering.zone.key)
        return False
    return True


async def seat_chunks(
    connection: Connection, group: GroupView, below: Includes, rendering: Rendering
) -> AsyncIterator[list[str]]:
    """The group's seat bookings, CHUNK texts at a time, in creation order; in a transaction."""
    if is_rendered_by_sql(below, rendering) and await knows_zone(connection, rendering):
        statement = statement_for(tuple(below.children))
        as_text: Callable[[asyncpg.Record], str] = _as_it_is
    else:
        statement = sql("seats_in_order")
        as_text = _Renderer(group, below, rendering).text
    cursor = await connection.cursor(statement, group.id)
    while rows := await cursor.fetch(CHUNK):
        yield [as_text(row) for row in rows]
        if len(rows) < CHUNK:
            return


@lru_cache(maxsize=256)
def statement_for(includes: tuple[str, ...]) -> str:
    """The statement that writes seat bookings with these includes, in this order."""
    known = fragments("seat_json")
    parts = [known["base"], *(known[name] for name in includes), known["end"]]
    return sql("seats_as_json").replace("{json}", "\n    || ".join(parts))


def _as_it_is(row: asyncpg.Record) -> str:
    text: str = row[0]
    return text


class _Renderer:
    """Writes a row as Python does."""

    def __init__(self, group: GroupView, below: Includes, rendering: Rendering) -> None:
        self._group = group
        self._below = below
        self._rendering = rendering

    def text(self, row: asyncpg.Record) -> str:
        view = attendees.view(attendees.row_of(row), self._group)
        shown: dict[str, Any] = render_booking(view, self._below, self._rendering)
        return to_json(shown).decode()
