"""Master key with its derived subkeys: three stay the same when the key is rotated.

They make the hashes by which customers, requests and API keys are found again. Before the first
replacement they are the key's own; afterwards they lie sealed in `kept_subkeys` (decision 0030).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from shared.eventlog.privacy import MasterKey, Unreadable
from shared.eventlog.statements import statement
from shared.runtime.postgres import Connection, connected
from shared.runtime.settings import ConfigurationError, Settings

KEPT_PURPOSES = ("customer", "request", "api key hash")
SEALED_AS = "kept subkey"
API_KEY_SEALED_AS = "api key"


async def load_master(settings: Settings) -> MasterKey:
    """The installation's key, ready to find what any of its predecessors hashed.

    ConfigurationError when it is not the key of this database.
    """
    async with connected(settings.database_dsn) as connection:
        return await master_on(connection, settings)


async def master_on(connection: Connection, settings: Settings) -> MasterKey:
    """`load_master`, on a connection there is."""
    master = MasterKey(*settings.master_keys)
    for purpose, subkey in (await kept_subkeys(connection, master)).items():
        master.adopt(purpose, subkey)
    return master


async def kept_subkeys(connection: Connection, master: MasterKey) -> Mapping[str, bytes]:
    """By purpose: as they were kept, or those of the key that is being replaced."""
    rows = await connection.fetch(statement("kept_subkeys"))
    if not rows:
        owner = await _owner(connection, master)
        return {purpose: owner.subkey(purpose) for purpose in KEPT_PURPOSES}
    try:
        return {name: master.open(SEALED_AS, sealed, name.encode()) for name, sealed in rows}
    except Unreadable:
        raise ConfigurationError(
            "SEATLEDGER_MASTER_KEY is not the key of this database: it was replaced"
        ) from None


async def _owner(connection: Connection, master: MasterKey) -> MasterKey:
    """Which of the keys the database was made with: the one that sealed its oldest API key."""
    if not master.others:
        return master
    oldest: Any = await connection.fetchrow(statement("oldest_api_key"))
    sealed_by = (one for one in master.others if oldest is not None and opens(one, *oldest))
    return next(sealed_by, master)


def opens(master: MasterKey, key_id: UUID, sealed: bytes) -> bool:
    """Whether this very key sealed the API key."""
    try:
        master.alone().open(API_KEY_SEALED_AS, sealed, key_id.bytes)
    except Unreadable:
        return False
    return True
