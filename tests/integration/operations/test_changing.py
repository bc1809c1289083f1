"""Change without a failed request: under load, workers are replaced only by those that serve."""

from __future__ import annotations

import re
import signal
from pathlib import Path

import aiohttp
import asyncpg

from tests.harness.servers.private import Databases
from tests.harness.services.installation import ServiceProcess
from tests.harness.waiting import until
from tests.integration.operations.callers import calling
from tests.integration.operations.serving import ALONE, whole

WORKERS = 2


def told(process: ServiceProcess, words: str) -> int:
    """How often the log says so."""
    return len(re.findall(words, Path(process._log).read_text()))


async def test_a_rolling_restart_under_load_fails_no_request(database_url: str) -> None:
    async with (
        whole(database_url, SEATLEDGER_WORKERS=str(WORKERS), **ALONE) as (installation, process),
        calling(process.url, installation.key, 8) as callers,
    ):
        await callers.more(100)
        process.signal(signal.SIGHUP)

        async def all_replaced() -> bool:
            return told(process, "was replaced") == WORKERS

        seconds = await until(all_replaced, 60, "every worker's successor")
        await callers.more(100)
        assert callers.failures == []
    assert await process.ended() == 0
    print(f"rolling restart: {seconds:.1f} s, {callers.answered} answered, none failed, ", end="")
    print(f"the slowest took {callers.slowest * 1000:.0f} ms")


async def test_a_version_that_does_not_start_changes_nothing(
    database_url: str, databases: Databases
) -> None:
    """Its database refuses newcomers, so a successor cannot start; the old ones go on."""
    async with whole(database_url, SEATLEDGER_WORKERS="2", **ALONE) as (_, process):
        name = database_url.rsplit("/", 1)[1]
        await admit_newcomers(databases, name, "false")
        process.signal(signal.SIGHUP)

        async def given_up() -> bool:
            return told(process, "does not start, so nothing is replaced") == 1

        await until(given_up, 60, "the end of the attempt")
        await admit_newcomers(databases, name, "true")
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"{process.url}/health/ready") as answer,
        ):
            assert answer.status == 200
        assert told(process, "was replaced") == 0


async def admit_newcomers(databases: Databases, name: str, are_admitted: str) -> None:
    connection = await asyncpg.connect(databases.cluster.dsn_of("postgres"))
    try:
        await connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS {are_admitted}")
    finally:
        await connection.close()


async def test_sigterm_under_load_answers_all_that_was_begun(database_url: str) -> None:
    """One process alone: it says that it is unready while it still serves, then refuses newcomers;
    nobody who was let in loses an answer."""
    async with whole(database_url, SEATLEDGER_LEAD_SECONDS="1", **ALONE) as (installation, process):
        async with calling(process.url, installation.key, 4) as callers:
            await callers.more(50)
            process.signal(signal.SIGTERM)
            seen = await until_unready(process.url)
            callers.over.set()
        assert (seen, callers.failures) == ("stopping", [])
        assert await process.ended() == 0


async def until_unready(url: str) -> str:
    status = ""

    async def unready() -> bool:
        nonlocal status
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"{url}/health/ready") as answer,
        ):
            status = (await answer.json())["status"]
            return answer.status == 503

    await until(unready, 10, "unreadiness")
    return status
