"""Streams a group with its seat bookings, 256 KiB at a time: never whole in memory.

One snapshot holds the group and its seat bookings, so the count and the list agree. A reader that
is too slow is cut off, as its snapshot and connection are needed by others (decision 0041).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, TypeAlias
from uuid import UUID

from aiohttp import web
from pydantic_core import to_json

from services.query.http.lists.attendee_json import seat_chunks
from services.query.reads.included import reaches_outside
from services.query.reads.related_seats import group_views
from services.query.reads.streams import Streams
from shared.booking_api.errors import NotFreshYet
from shared.booking_api.reading.timestamps import Rendering
from shared.booking_api.rendering.includes import Includes
from shared.booking_api.rendering.views import GroupView
from shared.http.access import identity_of
from shared.http.answers import JSON_TYPE, raw_json_answer
from shared.runtime.postgres import Connection

RELATED = "related_bookings"
SENT_AT_ONCE = 256 * 1024
"""Bytes: a smaller answer is sent whole, a larger one in parts of this size."""
Render: TypeAlias = Callable[..., dict[str, Any]]


def can_be_streamed(includes: Includes) -> bool:
    """Whether a group's answer needs nothing of many rows but its own seat bookings."""
    others = [below for name, below in includes.children.items() if name != RELATED]
    return (
        RELATED in includes
        and not reaches_outside(includes)
        and not any(other.anywhere(RELATED) for other in others)
    )


async def stream_group(
    request: web.Request,
    streams: Streams,
    group_id: UUID,
    includes: Includes,
    rendering: Rendering,
    render: Render,
    headers: Mapping[str, str],
) -> web.StreamResponse:
    """The projected group, rendered by `render`, with all its seat bookings."""
    async with streams.snapshot(identity_of(request).app_id) as connection:
        owner = (await group_views(connection, [group_id])).get(group_id)
        if owner is None:
            raise NotFreshYet
        chunks = group_chunks(connection, owner, includes, rendering, render)
        return await stream_json(request, _as_data(chunks), headers)


async def group_chunks(
    connection: Connection,
    owner: GroupView,
    includes: Includes,
    rendering: Rendering,
    render: Render,
) -> AsyncIterator[bytes]:
    """The group with its seat bookings as JSON, if it `can_be_streamed`; in a transaction."""
    rest = Includes({n: below for n, below in includes.children.items() if n != RELATED})
    separator = to_json(render(owner, rest, rendering))[:-1] + b',"related_bookings":['
    async for chunk in seat_chunks(connection, owner, includes.below(RELATED), rendering):
        yield separator + ",".join(chunk).encode()
        separator = b","
    yield b"]}" if separator == b"," else separator + b"]}"


async def stream_json(
    request: web.Request, chunks: AsyncIterator[bytes], headers: Mapping[str, str]
) -> web.StreamResponse:
    """The chunks as one JSON answer: at once if they are few, else as they come."""
    response: web.StreamResponse | None = None
    ready = bytearray()
    async for chunk in chunks:
        ready += chunk
        if len(ready) < SENT_AT_ONCE:
            continue
        if response is None:
            response = await _begun(request, headers)
            if request.method == "HEAD":
                return response
        await response.write(bytes(ready))
        ready.clear()
    if response is None:
        return raw_json_answer(bytes(ready), headers=headers)
    await response.write(bytes(ready))
    await response.write_eof()
    return response


async def _as_data(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield b'{"data":'
    async for chunk in chunks:
        yield chunk
    yield b"}"


async def _begun(request: web.Request, headers: Mapping[str, str]) -> web.StreamResponse:
    response = web.StreamResponse(headers=headers)
    response.content_type = JSON_TYPE
    response.charset = "utf-8"
    await response.prepare(request)
    return response
