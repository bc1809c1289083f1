"""Endpoints whose answer never ends: the request does, and the event loop goes on meanwhile."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress

import pytest

from services.query.webhooks.http_client import posting

SECONDS = 2.0
BODY = b"{}"
HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
INTERIM = b"HTTP/1.1 100 Continue\r\n\r\n"
HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"


@contextmanager
def answering(first: bytes, endlessly: bytes) -> Iterator[str]:
    """A server that says `first` and then the same as fast as it is read; in threads, so that the
    event loop is the sender's alone."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_accept, args=(listener, first, endlessly), daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
        listener.shutdown(socket.SHUT_RDWR)


def _accept(listener: socket.socket, first: bytes, endlessly: bytes) -> None:
    with suppress(OSError):
        while True:
            peer, _ = listener.accept()
            threading.Thread(target=_say, args=(peer, first, endlessly), daemon=True).start()


def _say(peer: socket.socket, first: bytes, endlessly: bytes) -> None:
    with suppress(OSError), peer:
        while _heard(peer):
            peer.sendall(first)
            while endlessly:
                peer.sendall(endlessly * 1_000)


def _heard(peer: socket.socket) -> bool:
    """A request with its body, whole; False when there comes no more."""
    request = b""
    while not request.endswith(BODY):
        more = peer.recv(65_536)
        if not more:
            return False
        request += more
    return True


@asynccontextmanager
async def watched() -> AsyncIterator[list[float]]:
    """How long the loop's turns took while this lasted."""
    turns: list[float] = []
    loop = asyncio.get_running_loop()

    async def watch() -> None:
        while True:
            began = loop.time()
            await asyncio.sleep(0)
            turns.append(loop.time() - began)

    watching = asyncio.create_task(watch())
    try:
        yield turns
    finally:
        watching.cancel()


@pytest.mark.parametrize(
    ("first", "endlessly"),
    [
        (b"", INTERIM),
        (b"", HINTS),
        (b"HTTP/1.1 200 OK\r\n", b"X-More: yes\r\n"),
        (HEAD, b"1;an=extension\r\na\r\n"),
        (HEAD + b"1", b";x=y"),
        (HEAD + b"0\r\n", b"Trailer: yes\r\n"),
    ],
    ids=["interim answers", "hints", "headers", "small chunks", "a chunk's head", "trailers"],
)
async def test_an_answer_without_end_stops_nothing(first: bytes, endlessly: bytes) -> None:
    with answering(first, endlessly) as url:
        async with posting(True, SECONDS) as poster, watched() as turns, asyncio.timeout(30):
            await asyncio.gather(*(poster.post(url, BODY, {}) for _ in range(4)))
    assert max(turns) < SECONDS / 2, "the loop had no turn while the answer came"


async def test_endless_interim_answers_are_told_as_such() -> None:
    with answering(b"", INTERIM) as url:
        async with posting(True) as poster:
            outcome = await poster.post(url, BODY, {})
    assert (outcome.answer, outcome.trouble) == (None, "not sent: TooManyHeads")


async def test_a_few_interim_answers_are_nothing_unusual() -> None:
    well = b"HTTP/1.1 204 Well\r\n\r\n"
    with answering(INTERIM * 3 + HINTS + well, b"") as url:
        async with posting(True) as poster:
            for _ in range(12):  # each request has its own few
                assert (await poster.post(url, BODY, {})).answer == 204
