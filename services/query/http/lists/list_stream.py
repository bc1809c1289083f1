"""A list with what lies around its bookings, made a slice at a time: never whole in memory.

A slice is as many bookings as have SLICE seat bookings around them together. A group with more is
alone in its slice, and sent in chunks where it needs nothing but its seat bookings.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from aiohttp import web
from pydantic_core import to_json

from services.query.connection import Connection
from services.query.http.lists.group_stream import RELATED, Render, can_be_streamed, group_pieces
from services.query.reads.included import OutsideReads
from services.query.reads.related_seats import surroundings
from shared.booking_api.reading.timestamps import Rendering
from shared.booking_api.rendering.includes import Includes
from shared.booking_api.rendering.views import BookingView, GroupView
from shared.eventlog.statements import statements_of

sql = statements_of(__package__)

SLICE = 500


@dataclass(frozen=True, slots=True)
class Asked:
    """How bookings are to be shown, and to whom."""

    request: web.Request
    includes: Includes
    rendering: Rendering
    render: Render
    outside: OutsideReads


async def list_pieces(
    connection: Connection, views: Sequence[BookingView], asked: Asked
) -> AsyncIterator[bytes]:
    """The bookings as JSON, with commas between them, in pieces; in a transaction."""
    weights = await _weights(connection, views, asked.includes)
    comma = b""
    for batch in _slices(views, weights):
        alone = batch[0]
        if weights[alone.id] > SLICE and isinstance(alone, GroupView) and _is_plain(asked):
            yield comma
            async for piece in group_pieces(
                connection, alone, asked.includes, asked.rendering, asked.render
            ):
                yield piece
        else:
            yield comma + b",".join(await _rendered(connection, batch, weights, asked))
        comma = b","


def _is_plain(asked: Asked) -> bool:
    return can_be_streamed(asked.includes)


async def _weights(
    connection: Connection, views: Sequence[BookingView], includes: Includes
) -> Mapping[UUID, int]:
    """How many seat bookings are shown around each booking; SLICE + 1 means that or more."""
    deeper = any(below.anywhere(RELATED) for below in includes.children.values())
    groups = {view.id: _group_id(view) for view in views if deeper or isinstance(view, GroupView)}
    rows = await connection.fetch(sql("related_counts"), list({*groups.values()}), SLICE + 1)
    counts = {row["group_id"]: row["count"] for row in rows}
    return {view.id: counts[groups[view.id]] if view.id in groups else 0 for view in views}


def _slices(
    views: Sequence[BookingView], weights: Mapping[UUID, int]
) -> Iterator[list[BookingView]]:
    """The bookings in order, at most SLICE and with at most SLICE seat bookings around them."""
    batch: list[BookingView] = []
    weight = 0
    for view in views:
        if batch and (weight + weights[view.id] > SLICE or len(batch) == SLICE):
            yield batch
            batch, weight = [], 0
        batch.append(view)
        weight += weights[view.id]
    if batch:
        yield batch


async def _rendered(
    connection: Connection,
    batch: Sequence[BookingView],
    weights: Mapping[UUID, int],
    asked: Asked,
) -> list[bytes]:
    owners = {_group_id(view): _group(view) for view in batch if weights[view.id]}
    around = await surroundings(connection, owners, asked.includes)
    around = await asked.outside.added(asked.request, asked.includes, batch, around)
    return [to_json(asked.render(view, asked.includes, asked.rendering, around)) for view in batch]


def _group(view: BookingView) -> GroupView:
    return view if isinstance(view, GroupView) else view.group


def _group_id(view: BookingView) -> UUID:
    return _group(view).id
