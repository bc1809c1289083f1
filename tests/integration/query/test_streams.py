"""Connections for large answers: an app has its share, waits for its own, and others are served."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from uuid import uuid4

import pytest

from services.query.reads import streams as module
from services.query.reads.streams import Streams
from shared.booking_api.errors import TooManyRequests
from shared.http.bounds.shares import Shares
from shared.runtime.postgres import Pool

SIZE = 4


async def test_an_app_has_half_and_another_one_finds_a_place(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ACQUIRE_SECONDS", 0.2)
    streams, greedy, other = Streams(pool, SIZE), uuid4(), uuid4()
    async with AsyncExitStack() as stack:
        for _ in range(SIZE // 2):
            await stack.enter_async_context(streams.snapshot(greedy))
        with pytest.raises(TimeoutError):
            await stack.enter_async_context(streams.snapshot(greedy))
        connection = await stack.enter_async_context(streams.snapshot(other))
        assert await connection.fetchval("SELECT 1") == 1
    async with streams.snapshot(greedy) as connection:
        assert await connection.fetchval("SELECT 1") == 1


async def test_who_waits_gets_the_next_place_of_its_share(pool: Pool) -> None:
    streams, app_id = Streams(pool, 1), uuid4()

    async def one() -> int:
        async with streams.snapshot(app_id) as connection:
            found: int = await connection.fetchval("SELECT 1")
            return found

    assert await asyncio.gather(*(one() for _ in range(20))) == [1] * 20


async def test_few_of_an_app_may_wait(pool: Pool) -> None:
    streams, app_id = Streams(pool, 1), uuid4()
    streams._waiting = Shares(2, "test")
    async with streams.snapshot(app_id):
        waiting = asyncio.create_task(streams._take(app_id))
        await asyncio.sleep(0)
        with pytest.raises(TooManyRequests):
            await streams._take(app_id)
    await waiting


async def test_a_stream_has_an_end(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "STREAM_SECONDS", 0.1)
    streams, app_id = Streams(pool, 1), uuid4()
    with pytest.raises(TimeoutError):
        async with streams.snapshot(app_id):
            await asyncio.Event().wait()
    monkeypatch.undo()
    async with streams.snapshot(app_id) as connection:
        assert await connection.fetchval("SELECT 1") == 1
