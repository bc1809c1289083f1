"""A live feed lasts as long as its caller's key: revoked or expired, it ends and says so."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
from aiohttp import ClientResponse

from services.query.http import feed
from services.query.http.feed import EventFeed
from services.query.reads.feed import FeedPage
from services.query.reads.live_feed import Listener, LiveFeed
from shared.accounts.keyring import CACHE_SECONDS
from shared.accounts.postgres import PostgresAccounts
from shared.runtime.postgres import Pool
from tests.harness.waiting import until
from tests.integration.query.api import Api
from tests.integration.query.scenario import MASTER, Scenario

PATIENCE = 40
REVOKED = b'event: end\ndata: {"reason":"key revoked"}\n\n'
EXPIRED = b'event: end\ndata: {"reason":"key expired"}\n\n'


@dataclass
class Keys:
    """Keys of the app whose events are heard."""

    accounts: PostgresAccounts
    ids: dict[str, UUID] = field(default_factory=dict)

    async def new(self, lasting: timedelta | None = None) -> str:
        until = None if lasting is None else datetime.now(UTC) + lasting
        app = await self.accounts.app("ours")
        key_id, text = await self.accounts.create_key(MASTER, app, "server", until)
        self.ids[text] = key_id
        return text

    async def revoke(self, text: str) -> None:
        await self.accounts.revoke_key(self.ids[text])


@pytest_asyncio.fixture
async def keys(api: Api, pool: Pool) -> Keys:
    return Keys(PostgresAccounts(pool))


async def _rest(answer: ClientResponse) -> bytes:
    async with asyncio.timeout(PATIENCE):
        return await answer.content.read()


async def _first(answer: ClientResponse) -> bytes:
    async with asyncio.timeout(PATIENCE):
        return await answer.content.readuntil(b"\n\n")


@asynccontextmanager
async def _heard(api: Api, key: str, path: str) -> AsyncIterator[ClientResponse]:
    """A stream that has begun: its first event has come."""
    async with api.stream(f"{path}?after=0", key) as answer:
        assert (await _first(answer)).startswith(b"id: ")
        yield answer


@pytest.mark.parametrize("path", ["/events", "/bookings/groups/{id}/events"])
async def test_a_revoked_keys_feed_ends_and_anothers_goes_on(
    scenario: Scenario, api: Api, keys: Keys, path: str
) -> None:
    group_id = await scenario.create(app_id=api.app_id)
    path = path.format(id=group_id)
    ended, kept = await keys.new(), await keys.new()
    async with _heard(api, ended, path) as revoked, _heard(api, kept, path) as other:
        await keys.revoke(ended)
        loop = asyncio.get_running_loop()
        began = loop.time()
        assert (await _rest(revoked)).endswith(REVOKED)
        assert loop.time() - began < CACHE_SECONDS + 5
        seat = await scenario.book(group_id)
        assert str(seat).encode() in await _first(other)
    assert (await api.get("/events", ended)).status == 401


async def test_an_expiring_keys_feed_ends_with_it(scenario: Scenario, api: Api, keys: Keys) -> None:
    await scenario.create(app_id=api.app_id)
    until = datetime.now(UTC) + timedelta(seconds=3)
    key = await keys.new(timedelta(seconds=3))
    async with _heard(api, key, "/events") as answer:
        said = await _rest(answer)
    assert said.endswith(EXPIRED)
    assert datetime.now(UTC) >= until


async def test_who_is_still_catching_up_is_ended_too(
    scenario: Scenario, api: Api, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is read of the past is read only as long as the key holds."""
    group_id = await scenario.create(app_id=api.app_id, max_seats=100)
    await scenario.book_many(group_id, 60)
    key, listeners, pages = await keys.new(), list[Listener](), 0
    listen, page = LiveFeed.listen, EventFeed._page

    def noted(*arguments: Any) -> Listener:
        listeners.append(listen(*arguments))
        return listeners[-1]

    async def has_farewell() -> bool:
        return listeners[0].farewell is not None

    async def third_waits(*arguments: Any) -> FeedPage:
        nonlocal pages
        pages += 1
        if pages == 3:
            await keys.revoke(key)
            await until(has_farewell, PATIENCE, "the end of the key")
        return await page(*arguments)

    monkeypatch.setattr(LiveFeed, "listen", noted)
    monkeypatch.setattr(EventFeed, "_page", third_waits)
    monkeypatch.setattr(feed, "MAX_LIMIT", 1)
    async with api.stream("/events?after=0", key) as answer:
        said = await _rest(answer)
    assert said.endswith(REVOKED)
    assert said.count(b"\ndata: ") == 3 + 1
