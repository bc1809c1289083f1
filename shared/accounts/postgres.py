"""PostgreSQL repository of apps and API keys: no statement holds a key's text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg

from shared.accounts.apps import (
    AccountsError,
    App,
    KeyExists,
    SlugTaken,
    UnknownApp,
    checked_name,
    checked_slug,
    checked_time_zone,
)
from shared.accounts.keyring import FoundKey
from shared.accounts.keys import (
    Identity,
    KeyKind,
    KeyListing,
    SigningKey,
    new_key_text,
    open_key,
    seal_key,
)
from shared.eventlog.privacy import MasterKey, Unreadable
from shared.runtime.postgres import DATABASE_ERRORS, Executor, Pool

STATEMENT_SECONDS = 5


class AccountsUnavailable(Exception):
    """The database did not say whose key it is: the request can be tried again."""


def _statement(name: str) -> str:
    return (Path(__file__).parent / "sql" / f"{name}.sql").read_text(encoding="utf-8")


_CREATE_APP = _statement("create_app")
_LIST_APPS = _statement("list_apps")
_FIND_APP = _statement("find_app")
_CREATE_KEY = _statement("create_key")
_LIST_KEYS = _statement("list_keys")
_REVOKE_KEY = _statement("revoke_key")
_IDENTIFY = _statement("identify")
_SIGNING_KEYS = _statement("signing_keys")


class PostgresKeySource:
    """What a key ring asks: whose keys these are, and which keys sign for an app."""

    def __init__(self, pool: Pool, master: MasterKey) -> None:
        self._pool = pool
        self._master = master

    async def identify(self, key_hashes: Sequence[bytes]) -> Mapping[bytes, FoundKey]:
        rows = await self._fetch(_IDENTIFY, list(key_hashes))
        return {row["key_hash"]: _found(row) for row in rows}

    async def signing_keys(self, app_id: UUID) -> tuple[SigningKey, ...]:
        rows = await self._fetch(_SIGNING_KEYS, app_id)
        keys = []
        for row in rows:
            with suppress(Unreadable):  # sealed under another master key: it identifies nobody
                keys.append(open_key(self._master, row["key_id"], row["sealed_key"]))
        return tuple(keys)

    async def _fetch(self, statement: str, argument: object) -> list[asyncpg.Record]:
        try:
            async with self._pool.acquire(timeout=STATEMENT_SECONDS) as connection:
                return await connection.fetch(statement, argument, timeout=STATEMENT_SECONDS)
        except DATABASE_ERRORS as error:
            raise AccountsUnavailable from error


class PostgresAccounts:
    """What operators do with apps and keys."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor

    async def create_app(self, name: str, slug: str, time_zone: str, is_test: bool) -> App:
        """A new app; AccountsError when something about it is wrong, SlugTaken when it exists."""
        row = await self._executor.fetchrow(
            _CREATE_APP,
            uuid4(),
            checked_name(name),
            checked_slug(slug),
            checked_time_zone(time_zone),
            is_test,
        )
        if row is None:
            raise SlugTaken(f"there is an app with the slug {slug!r} already")
        return App(**dict(row))

    async def apps(self) -> list[App]:
        return [App(**dict(row)) for row in await self._executor.fetch(_LIST_APPS)]

    async def app(self, slug: str) -> App:
        """The app with this slug; UnknownApp when there is none."""
        row = await self._executor.fetchrow(_FIND_APP, slug)
        if row is None:
            raise UnknownApp(f"there is no app with the slug {slug!r}: see seatledger apps list")
        return App(**dict(row))

    async def create_key(
        self,
        master: MasterKey,
        app: App,
        kind: KeyKind,
        expires_at: datetime | None = None,
        text: str | None = None,
    ) -> tuple[UUID, str]:
        """The new key's id and its text, for this one time; `text` is given only for the demo."""
        text = text or new_key_text(kind, app.is_test)
        key = seal_key(master, kind, text)
        key_id = await self._executor.fetchval(
            _CREATE_KEY,
            key.key_id,
            app.app_id,
            kind,
            key.key_hash,
            key.sealed_key,
            key.hint,
            expires_at,
        )
        if key_id is None:
            raise KeyExists("this key exists already")
        return key_id, text

    async def keys(self, app_slug: str | None = None) -> list[KeyListing]:
        rows = await self._executor.fetch(_LIST_KEYS, app_slug)
        return [KeyListing(**dict(row)) for row in rows]

    async def revoke_key(self, key_id: UUID) -> datetime:
        """When the key was revoked: now, or before; AccountsError when there is no such key."""
        revoked_at: datetime | None = await self._executor.fetchval(_REVOKE_KEY, key_id)
        if revoked_at is None:
            raise AccountsError(f"there is no key {key_id}: see seatledger keys list")
        return revoked_at


def _found(row: asyncpg.Record) -> FoundKey:
    identity = Identity(
        app_id=row["app_id"],
        key_id=row["key_id"],
        kind=row["kind"],
        is_test=row["is_test"],
        time_zone=row["time_zone"],
        app_slug=row["slug"],
    )
    return FoundKey(row["key_hash"], identity, row["seconds_left"])
