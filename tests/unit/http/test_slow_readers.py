"""Readers that take nothing are cut off, whatever is sent; those that take little are not."""

from __future__ import annotations

import asyncio

import pytest
from aiohttp import web

from shared.http.bounds import pressure as bounds
from shared.http.bounds.pressure import BoundedConnection, Pressure
from shared.runtime.metrics import REQUEST_SECONDS
from tests.harness.callers.raw_connections import SMALL, request_head
from tests.harness.waiting import until
from tests.unit.http.slow import LARGE, PATIENCE, logged, slow_door

QUICK = 0.1


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "WRITE_SECONDS", QUICK)


def timer_of(connection: web.RequestHandler) -> asyncio.TimerHandle | None:
    assert isinstance(connection, BoundedConnection)
    return connection._reader_timer


@pytest.mark.parametrize("path", ["/large", "/whole"])
async def test_a_reader_that_takes_nothing_is_cut_off(path: str) -> None:
    with logged() as lines:
        async with slow_door(Pressure()) as door:
            reader, _ = await door.sent(request_head(f"GET {path} HTTP/1.1", "live"))
            await door.begun.get()

            async def is_gone() -> bool:
                return not door.pressure.connections

            await until(is_gone, PATIENCE, "an end of the connection")
            assert door.pressure.in_progress == 0
            with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
                await reader.readexactly(len(LARGE))
    assert "request_failed" not in lines.getvalue() and "Traceback" not in lines.getvalue()


async def test_a_reader_that_takes_little_at_a_time_is_served() -> None:
    async with slow_door(Pressure()) as door:
        reader, _ = await door.sent(request_head("GET /whole HTTP/1.1", "live"))
        connection = await door.begun.get()
        for _ in range(5):
            await reader.readexactly(64 * SMALL)
            before = timer_of(connection)

            async def is_looked_at_again(before: object = before) -> bool:
                return timer_of(connection) is not before

            await until(is_looked_at_again, PATIENCE, "another look at the reader")
        assert door.pressure.connections == 1
        await reader.readexactly(64 * SMALL)


async def test_a_caller_that_leaves_in_the_middle_is_counted_and_no_fault_of_ours() -> None:
    with logged() as lines:
        async with slow_door(Pressure()) as door:
            reader, writer = await door.sent(request_head("GET /large HTTP/1.1", "live"))
            await door.begun.get()
            await reader.readexactly(SMALL)
            before = counted_as_left()
            writer.transport.abort()
            await door.ended.get()

            async def is_counted() -> bool:
                return counted_as_left() == before + 1

            await until(is_counted, PATIENCE, "a caller that left in the series")
    assert "request_failed" not in lines.getvalue() and "Traceback" not in lines.getvalue()


def counted_as_left() -> float:
    samples = REQUEST_SECONDS.collect().samples
    return sum(
        one.value
        for one in samples
        if one.name.endswith("_count") and one.labels["status"] == "499"
    )
