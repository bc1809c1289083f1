"""Request bodies that do not come hold no slot, and each key has its share of the waiting."""

from __future__ import annotations

import asyncio

import pytest

from shared.http import middleware
from shared.http.bounds.pressure import Pressure
from shared.http.bounds.shares import Shares
from tests.harness.callers.raw_connections import Connection, request_head
from tests.harness.waiting import until
from tests.unit.http.slow import PATIENCE, SlowDoor, logged, slow_door, status_of

GROUPS = request_head("GET /groups/1 HTTP/1.1", "widget")


def announced(key: str, length: int = 5) -> bytes:
    """A head that says that a body follows."""
    return request_head("POST /body HTTP/1.1", key, f"Content-Length: {length}")


async def waiting(door: SlowDoor, count: int, key: str = "live") -> list[Connection]:
    """So many callers more, of whose bodies nothing comes."""
    wanted = door.pressure.bodies.taken + count
    sent = [await door.sent(announced(key)) for _ in range(count)]

    async def all_wait() -> bool:
        return door.pressure.bodies.taken == wanted

    await until(all_wait, PATIENCE, f"{wanted} bodies that are waited for")
    return sent


async def test_who_waits_for_a_body_holds_no_slot() -> None:
    async with slow_door(Pressure(max_in_progress=2)) as door:
        sent = await waiting(door, 8)
        assert door.pressure.in_progress == 0
        assert await door.answered(GROUPS) == 200
        for _, writer in sent:
            writer.write(b"12345")
        assert {await status_of(reader) for reader, _ in sent} <= {200, 503}
        assert (door.pressure.in_progress, door.pressure.bodies.taken) == (0, 0)


async def test_a_key_has_its_share_of_the_waiting_and_others_theirs() -> None:
    async with slow_door(Pressure()) as door:
        door.pressure.bodies = Shares(4, "waiting bodies")
        await waiting(door, 2)
        reader, _ = await door.sent(announced("live"))
        told = (await reader.readuntil(b"\r\n\r\n")).decode()
        assert told.startswith("HTTP/1.1 429 ") and "\r\nRetry-After: 1\r\n" in told
        assert b'"code":"too_many_requests"' in await reader.readuntil(b"}")
        await waiting(door, 1, "test")
        [(last, writer)] = await waiting(door, 1, "widget")
        assert await door.answered(announced("test")) == 503
        writer.write(b"12345")
        assert await status_of(last) == 200


async def test_a_body_that_comes_while_too_much_is_under_way_is_refused() -> None:
    async with slow_door(Pressure(max_in_progress=3)) as door:
        [(reader, writer)] = await waiting(door, 1)
        door.pressure.in_progress += 3
        writer.write(b"12345")
        told = (await reader.readuntil(b"\r\n\r\n")).decode()
        assert told.startswith("HTTP/1.1 503 ") and "\r\nRetry-After: 1\r\n" in told
        door.pressure.in_progress -= 3
        assert door.pressure.in_progress == 0


async def test_the_first_byte_has_less_time_than_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(middleware, "FIRST_BYTE_SECONDS", 0.2)
    async with slow_door(Pressure()) as door:
        [(silent, _)] = await waiting(door, 1)
        [(begun, writer)] = await waiting(door, 1)
        writer.write(b"1")
        assert await status_of(silent) == 408
        writer.write(b"2345")
        assert await status_of(begun) == 200


async def test_a_body_in_pieces_is_read_to_its_end() -> None:
    async with slow_door(Pressure()) as door:
        [(reader, writer)] = await waiting(door, 1)
        for piece in (b"12", b"34", b"5"):
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0)
        assert await status_of(reader) == 200


async def test_a_caller_that_leaves_before_its_body_is_no_fault_of_ours() -> None:
    with logged() as lines:
        async with slow_door(Pressure()) as door:
            [(_, writer)] = await waiting(door, 1)
            writer.transport.abort()

            async def nobody_waits() -> bool:
                return not door.pressure.bodies.taken

            await until(nobody_waits, PATIENCE, "an end of waiting")
            assert await door.answered(GROUPS) == 200
    assert "request_failed" not in lines.getvalue() and "Traceback" not in lines.getvalue()
