"""Hostile callers: connections and memory stay bounded, and other callers are served."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from urllib.parse import urlencode, urlsplit
from uuid import UUID

import psutil

from tests.harness.callers.idle_connections import IdleConnections, open_files_for
from tests.harness.callers.raw_answers import KEPT, answers_to
from tests.harness.callers.raw_connections import Connection, request_head
from tests.harness.services.cluster_under_test import ClusterUnderTest
from tests.harness.services.installation import ServiceProcess
from tests.harness.waiting import until

IDLE = 10_000
OTHER_CALLERS = 300
MOST_BYTES_EACH = 20 * 1024
ALLOWANCE_BYTES = 50 * 1024 * 1024
PATIENCE = 120.0
PIPELINED = 40
ANSWER_SECONDS = 60.0


async def connect(process: ServiceProcess) -> Connection:
    address = urlsplit(process.url)
    return await asyncio.open_connection(address.hostname, address.port)


def head(cluster: ClusterUnderTest, line: str, *more: str) -> bytes:
    """A request's head, with a good key."""
    return request_head(line, cluster.installation.key, *more)


async def rest_of(reader: asyncio.StreamReader) -> bytes:
    """Whatever still comes until the server ends it; a reset is an end too."""
    async with asyncio.timeout(ANSWER_SECONDS):
        with suppress(OSError):
            return await reader.read()
    return b""


def end_of(writer: asyncio.StreamWriter) -> None:
    """Nothing more comes; who is refused may have been cut off before."""
    with suppress(OSError):
        writer.write_eof()


async def test_ten_thousand_idle_connections_cost_little_and_hold_up_nobody(
    cluster: ClusterUnderTest, seed: int
) -> None:
    process = cluster.installation.commands[0]
    await process.kill()
    with open_files_for(IDLE) as count:
        await process.start(SEATLEDGER_MAX_CONNECTIONS=str(IDLE + OTHER_CALLERS))
        service = psutil.Process(process.pid)
        bytes_before, files_before = service.memory_info().rss, service.num_fds()
        idle = IdleConnections(process.url)
        async with cluster.under_load(seed) as load:
            await idle.open(count)
            await until(taken(service, at_least=count), PATIENCE, f"{count} connections")
            load.recovered("bookings beside idle connections", await load.bookings(20))
            load.cycles += 1
            grown = service.memory_info().rss - bytes_before
            assert service.num_fds() >= count
            idle.close()
            gone = taken(service, below=files_before + OTHER_CALLERS)
            await until(gone, PATIENCE, "an end of all connections")
    assert grown < ALLOWANCE_BYTES + count * MOST_BYTES_EACH
    await process.kill()
    await process.start()


def taken(
    service: psutil.Process, at_least: int = 0, below: int = sys.maxsize
) -> Callable[[], Awaitable[bool]]:
    """Whether the service has so many files open."""

    async def is_so() -> bool:
        return at_least <= service.num_fds() < below

    return is_so


async def test_slow_and_broken_bodies_write_nothing_and_stop_nobody(
    cluster: ClusterUnderTest, seed: int
) -> None:
    process = cluster.installation.commands[0]
    start = head(cluster, "POST /v2/bookings HTTP/1.1", "Content-Length: 500") + b'{"graph": '
    slow = [await connect(process) for _ in range(20)]
    async with cluster.under_load(seed) as load:
        for _, writer in slow:
            writer.write(start)
        load.recovered("bookings beside slow bodies", await load.bookings(15))
        for _, writer in slow[:10]:
            writer.transport.abort()
        for _, writer in slow[10:]:
            end_of(writer)
        load.cycles += 1
        await load.bookings(5)
    for _, writer in slow[10:]:
        writer.transport.abort()


async def test_pipelined_requests_are_answered_in_their_order(
    cluster: ClusterUnderTest, seed: int
) -> None:
    process = cluster.installation.queries[0]
    async with cluster.under_load(seed, callers=2) as load:
        groups = [load.groups[n % len(load.groups)] for n in range(PIPELINED)]
        answered = b""

        async def all_is_answered() -> bool:
            nonlocal answered
            answered = await pipelined(cluster, process, groups)
            assert answered.count(b"HTTP/1.1 ") == PIPELINED
            return answered.count(b"HTTP/1.1 200") == PIPELINED  # or else "come again"

        await until(all_is_answered, PATIENCE, "answers to all of them")
        load.cycles += 1
    places = [answered.find(str(group_id).encode()) for group_id in groups[: len(load.groups)]]
    assert places == sorted(places) and -1 not in places


async def pipelined(
    cluster: ClusterUnderTest, process: ServiceProcess, groups: list[UUID]
) -> bytes:
    """Everything that comes back to requests sent in one piece."""
    reader, writer = await connect(process)
    lines = [f"GET /v2/bookings/groups/{group_id} HTTP/1.1" for group_id in groups]
    *first, last = lines
    requests = [head(cluster, line) for line in first] + [head(cluster, last, "Connection: close")]
    writer.write(b"".join(requests))
    answered = await rest_of(reader)
    writer.close()
    return answered


async def test_what_is_not_http_is_refused_and_the_next_is_served(
    cluster: ClusterUnderTest, seed: int
) -> None:
    process = cluster.installation.commands[0]
    junk = (
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200),
        b"GET / HTTP/1.1\r\nHost: here\r\nX: " + b"x" * 100_000 + b"\r\n\r\n",
        b"POST /v2/bookings HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        b"POST /v2/bookings HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        head(cluster, "POST /v2/bookings HTTP/1.1", "Content-Length: 99999999999") + b"{",
        b"\r\n" * 5000,
    )
    async with cluster.under_load(seed) as load:
        for piece in junk:
            reader, writer = await connect(process)
            writer.write(piece)
            end_of(writer)
            answer = await rest_of(reader)
            assert not answer.startswith((b"HTTP/1.1 2", b"HTTP/1.1 5")), answer[:200]
            writer.transport.abort()
        load.cycles += 1
        await load.bookings(10)


HURTING_TEXT = "1" * 100 + "x"
HURTING_PATTERNS = [letter * 30 for letter in "ujnUv"]
NO_REQUEST = b"@ " + b"X" * 65_536


def hurting_reads(cluster: ClusterUnderTest) -> list[bytes]:
    """Patterns that once took for ever to find that a text does not fit them."""
    queries = [
        urlencode({"start": HURTING_TEXT, "InputTimestampFormat": pattern})
        for pattern in HURTING_PATTERNS
    ]
    return [head(cluster, f"GET /v2/bookings/groups?{query} HTTP/1.1") for query in queries]


def hurting_writes(cluster: ClusterUnderTest) -> list[bytes]:
    """The same in a body, with the pattern in a header."""
    body = json.dumps({"graph": "group_owner", "start": HURTING_TEXT}).encode()
    length = f"Content-Length: {len(body)}"
    line = "POST /v2/bookings HTTP/1.1"
    headers = [f"Timekit-InputTimestampFormat: {pattern}" for pattern in HURTING_PATTERNS]
    return [head(cluster, line, length, header) + body for header in headers]


async def test_words_made_to_hurt_hold_up_nobody(cluster: ClusterUnderTest, seed: int) -> None:
    """A stranger without a key, and one with the key of every booking page."""
    reads, writes = hurting_reads(cluster), hurting_writes(cluster)
    sent = [(one.url, reads) for one in cluster.installation.queries]
    sent += [(one.url, writes) for one in cluster.installation.commands]
    async with cluster.under_load(seed) as load:
        answers = await asyncio.gather(
            *(answers_to(url, request) for url, requests in sent for request in requests),
            *(answers_to(url, KEPT, NO_REQUEST) for url, _ in sent for _ in range(5)),
        )
        load.recovered("bookings beside words made to hurt", await load.bookings(15))
        load.cycles += 1
    assert {one[-1].status for one in answers} == {400, 422}


async def test_a_process_that_is_held_for_ever_ends_and_nothing_is_lost(
    cluster: ClusterUnderTest, seed: int
) -> None:
    """It holds what was just written, and has not said so."""
    process = cluster.installation.commands[0]
    await process.kill()
    await process.start("after_append:20:busy", SEATLEDGER_WATCHDOG_SECONDS="1")
    async with cluster.under_load(seed) as load:
        async with asyncio.timeout(PATIENCE):
            assert await process.ended() == -signal.SIGPROF
        await process.start()
        load.recovered("bookings after a process was held", await load.bookings(20))
        load.cycles += 1
