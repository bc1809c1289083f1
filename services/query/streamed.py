"""An answer that grows with its group: sent as it is read, never whole in memory.

One snapshot holds the group and its seat bookings, so the count and the list agree. A reader that
is too slow is cut off, as its snapshot and connection are needed by others.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any
from uuid import UUID

from aiohttp import web
from pydantic_core import to_json

from services.query.around import reaches_outside
from services.query.attendee_stream import CHUNK, seat_chunks
from services.query.connection import Pool
from services.query.surroundings import group_views, snapshot
from shared.booking_api.errors import NotFreshYet
from shared.booking_api.includes import Includes
from shared.booking_api.timestamps import Rendering
from shared.http.answers import JSON_TYPE, raw_json_answer

RELATED = "related_bookings"
STREAM_SECONDS = 60.0
_END = b"]}}"


def can_be_streamed(includes: Includes) -> bool:
    """Whether a group's answer needs nothing of many rows but its own seat bookings."""
    others = [below for name, below in includes.children.items() if name != RELATED]
    return (
        RELATED in includes
        and not reaches_outside(includes)
        and not any(other.anywhere(RELATED) for other in others)
    )


async def answer_streamed(
    request: web.Request,
    pool: Pool,
    group_id: UUID,
    includes: Includes,
    rendering: Rendering,
    render: Callable[..., dict[str, Any]],
    headers: Mapping[str, str],
) -> web.StreamResponse:
    """The projected group, rendered by `render`, with all its seat bookings."""
    async with asyncio.timeout(STREAM_SECONDS), snapshot(pool) as connection:
        owner = (await group_views(connection, [group_id])).get(group_id)
        if owner is None:
            raise NotFreshYet
        chunks = seat_chunks(connection, owner, includes.below(RELATED), rendering)
        rest = Includes({n: below for n, below in includes.children.items() if n != RELATED})
        opening = to_json({"data": render(owner, rest, rendering)})[:-2]
        first: list[str] = await anext(chunks, [])
        opening += b',"' + RELATED.encode() + b'":[' + _text(first)
        if len(first) < CHUNK:
            return raw_json_answer(opening + _END, headers=headers)
        return await _stream(request, opening, chunks, headers)


async def _stream(
    request: web.Request,
    opening: bytes,
    chunks: AsyncIterator[list[str]],
    headers: Mapping[str, str],
) -> web.StreamResponse:
    response = web.StreamResponse(headers=headers)
    response.content_type = JSON_TYPE
    response.charset = "utf-8"
    await response.prepare(request)
    if request.method == "HEAD":
        return response
    await response.write(opening)
    async for chunk in chunks:
        await response.write(b"," + _text(chunk))
    await response.write(_END)
    await response.write_eof()
    return response


def _text(chunk: list[str]) -> bytes:
    return ",".join(chunk).encode()
