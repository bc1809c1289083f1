"""Apps and keys on a real database: a key opens its own app, and nothing stored gives it away."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
import pytest_asyncio

from shared.accounts.apps import AccountsError, App, SlugTaken, UnknownApp
from shared.accounts.keyring import CACHE_SECONDS, KeyRing
from shared.accounts.postgres import AccountsUnavailable, PostgresAccounts, PostgresKeySource
from shared.eventlog.privacy import MasterKey

MASTER = MasterKey(bytes(range(32)))


class MovedClock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest_asyncio.fixture
async def pool(database_url: str) -> AsyncIterator[asyncpg.Pool[asyncpg.Record]]:
    async with asyncpg.create_pool(database_url, min_size=1, max_size=4) as pool:
        yield pool


@pytest.fixture
def accounts(pool: asyncpg.Pool[asyncpg.Record]) -> PostgresAccounts:
    return PostgresAccounts(pool)


@pytest.fixture
def clock() -> MovedClock:
    return MovedClock()


@pytest.fixture
def ring(pool: asyncpg.Pool[asyncpg.Record], clock: MovedClock) -> KeyRing:
    return KeyRing(PostgresKeySource(pool, MASTER), MASTER, clock)


async def new_app(accounts: PostgresAccounts, slug: str = "doc", is_test: bool = False) -> App:
    return await accounts.create_app("Doc Brown", slug, "America/Los_Angeles", is_test)


async def test_a_key_identifies_its_app(accounts: PostgresAccounts, ring: KeyRing) -> None:
    app = await new_app(accounts)
    key_id, text = await accounts.create_key(MASTER, app, "server")
    identity = await ring.identify(text)
    assert text.startswith("live_api_key_")
    assert identity is not None
    assert (identity.app_id, identity.key_id, identity.kind) == (app.app_id, key_id, "server")
    assert (identity.time_zone, identity.app_slug) == ("America/Los_Angeles", "doc")
    assert not identity.is_test


async def test_a_widget_key_of_a_test_app_says_so(
    accounts: PostgresAccounts, ring: KeyRing
) -> None:
    app = await new_app(accounts, is_test=True)
    _, text = await accounts.create_key(MASTER, app, "widget")
    identity = await ring.identify(text)
    assert text.startswith("test_widget_key_")
    assert identity is not None and identity.kind == "widget" and identity.is_test


@pytest.mark.parametrize("key", ["", "nobody's", "x" * 100_000, "\ud800", "\x00"])
async def test_nobodys_key_is_nobodys(ring: KeyRing, key: str) -> None:
    assert await ring.identify(key) is None


async def test_a_revoked_key_is_refused_once_the_cache_forgot_it(
    accounts: PostgresAccounts, ring: KeyRing, clock: MovedClock
) -> None:
    key_id, text = await accounts.create_key(MASTER, await new_app(accounts), "server")
    assert await ring.identify(text) is not None
    first = await accounts.revoke_key(key_id)
    clock.now += CACHE_SECONDS
    assert await ring.identify(text) is None
    assert await accounts.revoke_key(key_id) == first


async def test_a_key_made_after_a_miss_works_once_the_cache_forgot_the_miss(
    accounts: PostgresAccounts, ring: KeyRing, clock: MovedClock
) -> None:
    app = await new_app(accounts)
    assert await ring.identify("chosen") is None
    await accounts.create_key(MASTER, app, "server", text="chosen")
    clock.now += CACHE_SECONDS
    assert await ring.identify("chosen") is not None


async def test_an_expired_key_is_nobodys(accounts: PostgresAccounts, ring: KeyRing) -> None:
    app = await new_app(accounts)
    past = datetime.now(UTC) - timedelta(seconds=1)
    _, text = await accounts.create_key(MASTER, app, "server", past)
    assert await ring.identify(text) is None


async def test_the_cache_ends_with_the_key(
    accounts: PostgresAccounts, ring: KeyRing, clock: MovedClock, database_url: str
) -> None:
    app = await new_app(accounts)
    soon = datetime.now(UTC) + timedelta(seconds=3)
    key_id, text = await accounts.create_key(MASTER, app, "server", soon)
    assert await ring.identify(text) is not None
    await accounts.revoke_key(key_id)
    clock.now += 3.0  # less than the cache keeps other keys
    assert await ring.identify(text) is None


async def test_another_master_key_knows_no_key(
    accounts: PostgresAccounts, pool: asyncpg.Pool[asyncpg.Record]
) -> None:
    app = await new_app(accounts)
    _, text = await accounts.create_key(MASTER, app, "server")
    other = MasterKey(bytes(32))
    ring = KeyRing(PostgresKeySource(pool, other), other)
    assert await ring.identify(text) is None
    assert await ring.signing_keys(app.app_id) == ()


async def test_action_links_are_signed_with_live_server_keys_newest_first(
    accounts: PostgresAccounts, ring: KeyRing, clock: MovedClock
) -> None:
    app = await new_app(accounts)
    old_id, old = await accounts.create_key(MASTER, app, "server")
    _, new = await accounts.create_key(MASTER, app, "server")
    await accounts.create_key(MASTER, app, "widget")
    assert [key.text.decode() for key in await ring.signing_keys(app.app_id)] == [new, old]
    await accounts.revoke_key(old_id)
    clock.now += CACHE_SECONDS
    assert [key.text.decode() for key in await ring.signing_keys(app.app_id)] == [new]


async def test_no_row_holds_a_key(
    accounts: PostgresAccounts, pool: asyncpg.Pool[asyncpg.Record]
) -> None:
    _, text = await accounts.create_key(MASTER, await new_app(accounts), "server")
    row = await pool.fetchrow("SELECT * FROM api_keys")
    assert row is not None
    secret = text.removeprefix("live_api_key_")
    assert secret not in str(dict(row)) and secret.encode() not in b"".join(
        value for value in row.values() if isinstance(value, bytes)
    )
    assert row["hint"] == f"live_api_key_…{text[-4:]}"


async def test_a_slug_is_taken_once(accounts: PostgresAccounts) -> None:
    await new_app(accounts)
    with pytest.raises(SlugTaken):
        await new_app(accounts)
    assert len(await accounts.apps()) == 1


async def test_what_is_not_there_is_said_so(accounts: PostgresAccounts) -> None:
    with pytest.raises(UnknownApp):
        await accounts.app("nobody")
    with pytest.raises(AccountsError):
        await accounts.revoke_key((await new_app(accounts)).app_id)


async def test_a_lost_database_is_unavailable_and_not_cached(
    accounts: PostgresAccounts, pool: asyncpg.Pool[asyncpg.Record], ring: KeyRing
) -> None:
    _, text = await accounts.create_key(MASTER, await new_app(accounts), "server")
    await pool.execute("ALTER TABLE apps RENAME TO away")
    with pytest.raises(AccountsUnavailable):
        await ring.identify(text)
    await pool.execute("ALTER TABLE away RENAME TO apps")
    assert await ring.identify(text) is not None
