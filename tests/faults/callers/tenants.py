"""Further apps of an installation, each with its keys."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from uuid import UUID

import asyncpg
from aiohttp import ClientSession, ClientTimeout, encode_basic_auth

from shared.accounts.keys import KeyKind
from shared.accounts.postgres import PostgresAccounts
from shared.eventlog.privacy import MasterKey
from tests.harness.services.installation import Installation


@dataclass(frozen=True, slots=True)
class Tenant:
    """An app, its server key and the key on its public page."""

    app_id: UUID
    key: str
    widget_key: str

    def session(self, url: str) -> ClientSession:
        """Calls with the server key."""
        headers = {"Authorization": encode_basic_auth("", self.key)}
        return ClientSession(url, headers=headers, timeout=ClientTimeout(total=60))


def master_of(installation: Installation) -> MasterKey:
    """What its processes seal with."""
    return MasterKey(base64.b64decode(installation.env["SEATLEDGER_MASTER_KEY"]))


async def new_tenant(installation: Installation, slug: str) -> Tenant:
    """Another app of the installation."""
    connection = await asyncpg.connect(installation.dsn)
    try:
        accounts, master = PostgresAccounts(connection), master_of(installation)
        app = await accounts.create_app(slug, slug, "UTC", is_test=True)

        async def key(kind: KeyKind) -> str:
            return (await accounts.create_key(master, app, kind))[1]

        return Tenant(app.app_id, await key("server"), await key("widget"))
    finally:
        await connection.close()
