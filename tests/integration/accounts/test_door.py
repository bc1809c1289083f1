"""The demo key opens what only this machine can reach, and nothing else; the log says so."""

from __future__ import annotations

import logging
import socket
from collections.abc import AsyncIterator, Iterator

import aiohttp
import asyncpg
import pytest
import pytest_asyncio

from shared.accounts.demo import ensure_demo
from shared.accounts.door import ring_at
from shared.accounts.postgres import PostgresAccounts
from shared.eventlog.privacy import MasterKey
from shared.runtime.settings import PUBLISHED_DEMO_KEY, Settings
from tests.harness.callers.requests import group
from tests.harness.services.processes import AUTH, MASTER_KEY, CommandProcess

MASTER = MasterKey(b"m" * 32)
ANYWHERE = "0.0.0.0"  # noqa: S104 - the tests are about it
OWN_KEY = "a key of one's own"


@pytest_asyncio.fixture
async def pool(database_url: str) -> AsyncIterator[asyncpg.Pool[asyncpg.Record]]:
    async with asyncpg.create_pool(database_url, min_size=1, max_size=2) as pool:
        yield pool


@pytest.fixture(params=[ANYWHERE, "127.0.0.1"])
def listener(request: pytest.FixtureRequest) -> Iterator[socket.socket]:
    with socket.socket() as listener:
        listener.bind((request.param, 0))
        listener.listen()
        yield listener


def settings_of(dsn: str, demo_key: str = PUBLISHED_DEMO_KEY) -> Settings:
    given = {"master_key": MASTER_KEY, "database_url": dsn, "demo_key": demo_key}
    return Settings.model_validate(given)


@pytest_asyncio.fixture
async def settings(database_url: str, pool: asyncpg.Pool[asyncpg.Record]) -> Settings:
    """A database with both demo keys and a key of one's own in the demo app."""
    await ensure_demo(settings_of(database_url))
    settings = settings_of(database_url, "another demo key")
    await ensure_demo(settings)
    accounts = PostgresAccounts(pool)
    await accounts.create_key(MASTER, await accounts.app("demo"), "server", text=OWN_KEY)
    return settings


async def test_the_demo_keys_open_and_sign_on_loopback_only(
    pool: asyncpg.Pool[asyncpg.Record],
    settings: Settings,
    listener: socket.socket,
    caplog: pytest.LogCaptureFixture,
) -> None:
    is_private = listener.getsockname()[0] != ANYWHERE
    with caplog.at_level(logging.WARNING):
        ring = await ring_at(listener, pool, MASTER, settings)
    own = await ring.identify(OWN_KEY)
    assert own is not None
    for text in (PUBLISHED_DEMO_KEY, "another demo key"):
        assert (await ring.identify(text) is not None) == is_private
    assert len(await ring.signing_keys(own.app_id)) == (3 if is_private else 1)
    said = [one.getMessage() for one in caplog.records if one.name == "shared.accounts.door"]
    assert len(said) == (0 if is_private else 2)
    assert all(ANYWHERE in line and "keys revoke" in line and "\n" not in line for line in said)


async def test_a_service_for_everybody_does_not_know_the_demo_key(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ensure_demo(settings_of(database_url))
    monkeypatch.setenv("SEATLEDGER_HOST", ANYWHERE)
    process = CommandProcess(database_url)
    try:
        await process.start()
        async with (
            aiohttp.ClientSession(process.url, headers=AUTH) as session,
            session.post("/v2/bookings", json={}) as answer,
        ):
            assert answer.status == 401
    finally:
        await process.stop()


async def test_a_page_from_elsewhere_changes_nothing_with_the_demo_key(
    database_url: str, pool: asyncpg.Pool[asyncpg.Record]
) -> None:
    """Whether it can read the answer or not; a page of this machine, on any port, goes on."""
    await ensure_demo(settings_of(database_url))
    process = CommandProcess(database_url)
    written, refused = "SELECT position FROM log_head", (403, "demo_key_elsewhere")
    try:
        await process.start()
        async with aiohttp.ClientSession(process.url, headers=AUTH) as session:
            for headers in ({"Origin": "https://evil.example"}, {"Host": "evil.example"}):
                async with session.post("/v2/bookings", json=group(), headers=headers) as answer:
                    assert (answer.status, (await answer.json())["code"]) == refused
            assert await pool.fetchval(written) == 0
            local = {"Origin": "http://localhost:5173"}
            async with session.post("/v2/bookings", json=group(), headers=local) as answer:
                assert answer.status == 201
                assert answer.headers["Access-Control-Allow-Origin"] == local["Origin"]
            assert await pool.fetchval(written) == 1
    finally:
        await process.stop()


async def test_no_demo_key_is_no_line(
    database_url: str, pool: asyncpg.Pool[asyncpg.Record], caplog: pytest.LogCaptureFixture
) -> None:
    with socket.socket() as listener, caplog.at_level(logging.WARNING):
        listener.bind((ANYWHERE, 0))
        await ring_at(listener, pool, MASTER, settings_of(database_url, ""))
    assert [one for one in caplog.records if one.name == "shared.accounts.door"] == []
