"""Bytes made to hurt, sent to real processes: refused at once, and of nobody is a name logged.

And what happens when one gets through all the same: the process ends, and another takes its place.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import suppress
from urllib.parse import urlencode

import aiohttp
import psutil
import pytest
import pytest_asyncio

from tests.harness.callers.idle_connections import IdleConnections, open_files_for
from tests.harness.callers.raw_answers import KEPT, answers_to
from tests.harness.services.installation import Installation, ServiceProcess, installed
from tests.harness.waiting import until
from tests.integration.operations.serving import ALONE, auth, new_group, series_of, total, whole

AT_ONCE = 2.0
"""Generous on a busy machine; what is meant took 16 seconds, or had no end."""
BODY = '{"graph":"group_customer","customer":{"name":"Bodyleak Jönsson","phone":"+46 555 998877"}}'
PERSONAL = ("McLeakface", "4930777", "Bodyleak", "998877", "XXXXXXXX", "/v2/bookings?search")
RAW = {
    "64 KB of nothing": b"@ " + b"X" * 65_536,
    "an endless line": b"GET /" + b"X" * 65_536,
    "a space in a query": b"GET /v2/bookings?search=customer.name:Loggy McLeakface;"
    b"customer.phone:+4930777 HTTP/1.1\r\nHost: here\r\n\r\n",
    "a length too short": b"POST /v2/bookings HTTP/1.1\r\nHost: here\r\nContent-Length: 9\r\n\r\n"
    + BODY.encode(),
    "a length that is none": b"POST /v2/bookings HTTP/1.1\r\nContent-Length: McLeakface\r\n\r\n",
    "a coding": b"POST /v2/bookings HTTP/1.1\r\nHost: here\r\nContent-Encoding: McLeakface\r\n"
    b"Content-Length: 2\r\n\r\n{}",
}
Serving = tuple[Installation, ServiceProcess]


@pytest_asyncio.fixture
async def serving(database_url: str) -> AsyncIterator[Serving]:
    async with whole(database_url, SEATLEDGER_ACCESS_LOG="true", **ALONE) as one:
        yield one


async def seconds_of(session: aiohttp.ClientSession, url: str) -> float:
    """How long another caller waits meanwhile."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    async with session.get(f"{url}/health/live") as answer:
        assert answer.status == 200
    return loop.time() - began


async def test_raw_bytes_hold_nobody_up_and_are_not_logged(serving: Serving) -> None:
    _, process = serving
    async with aiohttp.ClientSession() as session:
        for raw in RAW.values():
            for pieces in ((raw,), (KEPT, raw)):
                sending = asyncio.create_task(answers_to(process.url, *pieces))
                waited = [await seconds_of(session, process.url) for _ in range(5)]
                *_, answer = await sending
                assert max(waited) < AT_ONCE
                assert answer.version == "HTTP/1.1" and 400 <= answer.status < 500
                assert answer.body["code"] and answer.headers["server"] == "Seatledger"
    assert process.log().count("unreadable_request") >= len(RAW)
    assert [word for word in PERSONAL if word in process.log()] == []
    assert "Traceback" not in process.log() and len(process.log()) < 64_000


@pytest.mark.parametrize("letter", ["u", "j", "n", "U", "e", "T", "l", "F", "v"])
async def test_a_pattern_made_to_hurt_is_refused_at_once(serving: Serving, letter: str) -> None:
    installation, process = serving
    text = ("1" if letter in "ujnUv" else "a") * 100 + "!"
    asked = urlencode({"start": text, "InputTimestampFormat": letter * 30})
    async with aiohttp.ClientSession(headers=auth(installation.key)) as session:
        began = asyncio.get_running_loop().time()
        async with session.get(f"{process.url}/v2/bookings/groups?{asked}") as answer:
            body = await answer.json()
        assert asyncio.get_running_loop().time() - began < AT_ONCE
    assert (answer.status, body["code"]) == (422, "invalid_timestamp_format")


async def test_a_worker_that_never_comes_back_is_replaced(database_url: str) -> None:
    hung = {"FAULT": "before_append:1:busy", "SEATLEDGER_WATCHDOG_SECONDS": "1"}
    async with (
        whole(database_url, SEATLEDGER_WORKERS="2", **hung, **ALONE) as (installation, process),
        aiohttp.ClientSession() as session,
    ):
        with suppress(aiohttp.ClientConnectionError):
            await create_group(session, installation, process)

        async def is_replaced() -> bool:
            series = await series_of(session, process.url)
            return total(series, "seatledger_child_restarts_total") >= 1

        await until(is_replaced, 60, "another worker")
        assert "ended with status -27 (SIGPROF" in process.log()
        assert await seconds_of(session, process.url) < AT_ONCE


async def create_group(
    session: aiohttp.ClientSession, installation: Installation, process: ServiceProcess
) -> int:
    headers = auth(installation.key)
    async with session.post(
        f"{process.url}/v2/bookings", json=new_group(), headers=headers
    ) as answer:
        return answer.status


async def test_a_frozen_process_lives_on_and_a_busy_one_dies(database_url: str) -> None:
    async with installed(database_url) as installation, aiohttp.ClientSession() as session:
        await installation.start(commands=2, queries=0, loops=0)
        frozen, busy = installation.commands
        for process, fault in ((frozen, None), (busy, "before_append:1:busy")):
            await process.stop()
            await process.start(fault, SEATLEDGER_WATCHDOG_SECONDS="1")
        frozen.freeze()
        with pytest.raises(aiohttp.ClientConnectionError):
            await create_group(session, installation, busy)
        assert await busy.ended() == -signal.SIGPROF
        frozen.resume()
        assert await create_group(session, installation, frozen) == 201
        assert frozen.is_running


IDLE = 500


async def idling(installation: Installation, limit: str, wanted: str) -> ServiceProcess:
    """A process that is started with this limit of open files."""
    process = installation.new_process("services.command", SEATLEDGER_MAX_CONNECTIONS=wanted)
    process.prefix = ("sh", "-c", f'{limit}; exec "$@"', "sh")
    installation.commands.append(process)
    await process.start()
    return process


async def test_a_soft_limit_of_open_files_keeps_nobody_out(database_url: str) -> None:
    async with installed(database_url) as installation, aiohttp.ClientSession() as session:
        process = await idling(installation, "ulimit -Sn 400", "2000")
        idle = IdleConnections(process.url)
        with open_files_for(IDLE) as count:
            assert count == IDLE
            await idle.open(count)
            assert await create_group(session, installation, process) == 201
            assert psutil.Process(process.pid).num_fds() > 400
            idle.close()
    assert "connections_lowered" not in process.log()


async def test_a_hard_limit_is_kept_below_and_told(database_url: str) -> None:
    async with installed(database_url) as installation, aiohttp.ClientSession() as session:
        process = await idling(installation, "ulimit -n 400", "10000")
        assert '"event": "connections_lowered"' in process.log()
        assert await seconds_of(session, process.url) < AT_ONCE  # whose connection is kept
        idle = IdleConnections(process.url)
        with open_files_for(IDLE) as count:
            await idle.open(count)
            assert await create_group(session, installation, process) == 201
            assert psutil.Process(process.pid).num_fds() < 350
            idle.close()
