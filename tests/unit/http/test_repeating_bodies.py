"""Requests with a body whose head came before: answered by what the body says, each once."""

from __future__ import annotations

import asyncio

import pytest

from shared.http import server
from shared.http.fast_lane.connection import RepeatingConnection
from shared.http.fast_lane.repeating import Repeated
from tests.unit.http.test_repeating import AUTH, Served, served

HEAD = b"POST /v2/bookings HTTP/1.1\r\nHost: x\r\n" + AUTH + b"Content-Length: %d\r\n\r\n"


def post(body: bytes) -> bytes:
    return HEAD % len(body) + body


def bodies_again(it: Served) -> list[bytes]:
    return [asked.body for asked in it.shown.asked]


async def test_another_body_behind_the_same_head_is_answered_directly() -> None:
    async with served() as it, it.connect() as line:
        await line.ask(post(b"one"))
        status, headers, body = await line.ask(post(b"two"))
        assert (it.shown.whole, bodies_again(it)) == (1, [b"two"])
        assert (status, body) == (200, b'{"is":7}')
        assert headers[b"Timekit-Request-Id"].decode() == it.shown.asked[0].request_id


async def test_a_body_of_another_length_is_another_head() -> None:
    async with served() as it, it.connect() as line:
        await line.ask(post(b"one"))
        await line.ask(post(b"three"))
        assert (it.shown.whole, it.shown.again) == (2, 0)
        await line.ask(post(b"seven"))
        assert bodies_again(it) == [b"seven"]


async def test_a_body_that_comes_in_pieces_goes_the_whole_way() -> None:
    async with served() as it, it.connect() as line, it.connect() as elsewhere:
        await line.ask(post(b"one"))
        line.send(post(b"two")[:-2])
        await elsewhere.ask(post(b"six"))  # whose answer tells that the piece was received
        line.send(b"wo")
        assert (await line.answer())[0] == 200
        assert (it.shown.whole, bodies_again(it)) == (2, [b"six"])


async def test_two_requests_at_once_go_the_whole_way_and_leave_nothing_behind() -> None:
    """What is remembered of the second must never be taken for the first one's."""
    other = post(b"one").replace(b"Host: x", b"Host: y")
    async with served() as it, it.connect() as line:
        await line.ask(post(b"one"))
        line.send(post(b"two") + other)
        for _ in range(2):
            assert (await line.answer())[0] == 200
        assert (it.shown.whole, it.shown.again) == (3, 0)
        await line.ask(other)
        assert (it.shown.whole, it.shown.again) == (4, 0)


@pytest.mark.parametrize("twist", [b"Transfer-Encoding: chunked\r\n", b"Expect: 100-continue\r\n"])
async def test_bodies_that_come_in_another_manner_are_not_remembered(twist: bytes) -> None:
    chunked = b"3\r\none\r\n0\r\n\r\n"
    head = HEAD % 3
    if twist.startswith(b"Transfer"):
        head, body = head.replace(b"Content-Length: 3\r\n", twist), chunked
    else:
        head, body = head.replace(b"\r\n\r\n", b"\r\n" + twist + b"\r\n"), b"one"
    async with served() as it:
        for _ in range(2):
            async with it.connect() as line:
                line.send(head + body)
                await line.answer_after_continue()
        assert (it.shown.whole, it.shown.again) == (2, 0)


async def test_a_no_has_its_status() -> None:
    async with served() as it, it.connect() as line:
        await line.ask(post(b"one"))
        it.shown.refusal = Repeated(b'{"code":"sold_out"}', {}, 422)
        status, headers, body = await line.ask(post(b"two"))
        assert (status, body, b"Number" in headers) == (422, b'{"code":"sold_out"}', False)


async def test_a_direct_way_that_breaks_is_left() -> None:
    async with served() as it, it.connect() as line:
        await line.ask(post(b"one"))
        it.shown.breaks = True
        assert (await line.ask(post(b"two")))[0] == 200
        assert it.shown.whole == 2


async def test_a_stop_waits_for_the_answer_that_is_being_made_and_ends_with_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(server, "LINGER_SECONDS", 0.0)
    shutting_down, shutdown = asyncio.Event(), RepeatingConnection.shutdown

    async def noted(self: RepeatingConnection, timeout: float | None = 15.0) -> None:  # noqa: ASYNC109
        shutting_down.set()
        await shutdown(self, timeout)

    monkeypatch.setattr(RepeatingConnection, "shutdown", noted)
    async with served() as it, it.connect() as line:
        await line.ask(post(b"one"))
        await it.ask_without_answer(line, post(b"two"))
        stopping = asyncio.ensure_future(it.stop())
        async with asyncio.timeout(20):
            await shutting_down.wait()
        it.shown.tell()
        status, headers, _ = await line.answer()
        assert (status, headers[b"Connection"]) == (200, b"close")
        assert await line.is_ended()
        await stopping
