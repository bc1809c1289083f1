"""Streams a list with its includes, at most 500 seat bookings at a time: never whole in memory.

A slice is as many bookings as have SLICE related seat bookings together. A group with more is alone
in its slice, and sent in chunks where it needs nothing but its seat bookings.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from aiohttp import web
from pydantic_core import to_json

from services.query.http.lists.group_stream import RELATED, Render, can_be_streamed, group_chunks
from services.query.reads.included import IncludedReader
from services.query.reads.included_size import Seats
from services.query.reads.related_seats import related_seats
from shared.booking_api.reading.timestamps import Rendering
from shared.booking_api.rendering.includes import Includes
from shared.booking_api.rendering.views import BookingView, GroupView
from shared.eventlog.statements import statements_of
from shared.http.access import identity_of
from shared.http.requests.addresses import base_url
from shared.runtime.postgres import Connection

sql = statements_of(__package__)

SLICE = 500


@dataclass(frozen=True, slots=True)
class ListOptions:
    """How bookings are to be shown, and to whom."""

    request: web.Request
    includes: Includes
    rendering: Rendering
    render: Render


async def streamed_list(
    connection: Connection,
    reader: IncludedReader,
    views: Sequence[BookingView],
    options: ListOptions,
) -> AsyncIterator[bytes]:
    """The bookings as JSON with commas between them, a slice at a time; in a transaction."""
    weights = await _weights(connection, views, options.includes)
    is_plain = can_be_streamed(options.includes)
    comma = b""
    for batch in _slices(views, weights):
        alone = batch[0]
        if weights[alone.id] > SLICE and isinstance(alone, GroupView) and is_plain:
            yield comma
            async for chunk in group_chunks(
                connection, alone, options.includes, options.rendering, options.render
            ):
                yield chunk
        else:
            seats = await related_seats(connection, _owners(batch, weights))
            yield comma + b",".join(await _rendered(reader, batch, seats, options))
        comma = b","


async def _weights(
    connection: Connection, views: Sequence[BookingView], includes: Includes
) -> Mapping[UUID, int]:
    """How many seat bookings are related to each booking; SLICE + 1 means that or more."""
    deeper = any(below.anywhere(RELATED) for below in includes.children.values())
    groups = {view.id: _group_id(view) for view in views if deeper or isinstance(view, GroupView)}
    rows = await connection.fetch(sql("related_counts"), list({*groups.values()}), SLICE + 1)
    counts = {row["group_id"]: row["count"] for row in rows}
    return {view.id: counts[groups[view.id]] if view.id in groups else 0 for view in views}


def _slices(
    views: Sequence[BookingView], weights: Mapping[UUID, int]
) -> Iterator[list[BookingView]]:
    """The bookings in order, at most SLICE and with at most SLICE related seat bookings."""
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


def _owners(batch: Sequence[BookingView], weights: Mapping[UUID, int]) -> dict[UUID, GroupView]:
    return {_group_id(view): _group(view) for view in batch if weights[view.id]}


async def _rendered(
    reader: IncludedReader, batch: Sequence[BookingView], seats: Seats, options: ListOptions
) -> list[bytes]:
    request, includes, rendering = options.request, options.includes, options.rendering
    app_id = identity_of(request).app_id
    included = await reader.read(app_id, base_url(request), includes, batch, seats)
    return [to_json(options.render(view, includes, rendering, included)) for view in batch]


def _group(view: BookingView) -> GroupView:
    return view if isinstance(view, GroupView) else view.group


def _group_id(view: BookingView) -> UUID:
    return _group(view).id
