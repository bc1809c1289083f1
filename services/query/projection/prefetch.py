"""Reads ahead: fetches the next items while the last ones are worked on; at most `depth` wait."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeVar

T = TypeVar("T")


@asynccontextmanager
async def read_ahead(
    source: AsyncIterator[T], depth: int
) -> AsyncGenerator[AsyncIterator[T], None]:
    """The items of `source`, in order; what `source` raises is raised where it would be."""
    waiting: asyncio.Queue[T | _End] = asyncio.Queue(depth)
    filling = asyncio.create_task(_fill(source, waiting))
    try:
        yield _drain(waiting)
    finally:
        filling.cancel()
        await asyncio.wait({filling})


class _End:
    """The source is exhausted, or failed with `error`."""

    def __init__(self, error: Exception | None) -> None:
        self.error = error


async def _fill(source: AsyncIterator[T], waiting: asyncio.Queue[T | _End]) -> None:
    error: Exception | None = None
    try:
        async for item in source:
            await waiting.put(item)
    except Exception as raised:
        error = raised
    await waiting.put(_End(error))


async def _drain(waiting: asyncio.Queue[T | _End]) -> AsyncIterator[T]:
    while not isinstance(item := await waiting.get(), _End):
        yield item
    if item.error is not None:
        raise item.error
