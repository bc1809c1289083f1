"""Master key rotation: encrypts anew whatever another master key encrypted, except the ledger.

Works in small batches and changes a row only if it is still what was read. So services go on
meanwhile, an erased person stays erased, and an interrupted rotation is resumed (decision 0030).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from shared.eventlog.master_keys import API_KEY_SEALED_AS, SEALED_AS, kept_subkeys, opens
from shared.eventlog.privacy import MasterKey, Unreadable
from shared.eventlog.statements import statement
from shared.runtime.postgres import Connection

BATCH = 1_000
_MISSING = "something was sealed by a master key that is not in SEATLEDGER_OTHER_MASTER_KEYS"
_PACKAGE = "services.audit.keys"


class UnknownKey(Exception):
    """Something was sealed by a key that was not given."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """A column that the master key seals, bound to the row's id: `sql/<name>_page.sql` reads it,
    `sql/reseal_<name>.sql` writes it. `prefix`: how many bytes stand before what is sealed."""

    name: str
    purpose: str
    prefix: int = 0


EVERYTHING_SEALED = (
    Sealed("api_keys", API_KEY_SEALED_AS),
    Sealed("answers", "answer", prefix=1),
    Sealed("webhook_secrets", "webhook secret"),
    Sealed("previous_secrets", "webhook secret"),
)
"""Whoever seals something new with the master key adds it here; a test looks for them."""


async def rotate(
    connection: Connection, master: MasterKey, tell: Callable[[int], None]
) -> Mapping[str, int]:
    """Seals under `master` what its `others` sealed, and says how much of each kind; UnknownKey
    when one of them is missing."""
    await _ensure_known(connection, master)
    await _keep_subkeys(connection, master)
    try:
        done = {"booking_keys": await _booking_keys(connection, master, tell)}
        for what in EVERYTHING_SEALED:
            done[what.name] = await _sealed(connection, master, what)
        return done
    except Unreadable:
        raise UnknownKey(_MISSING) from None


async def _ensure_known(connection: Connection, master: MasterKey) -> None:
    """Before anything is changed: no booking and no API key hangs on a key that is not given."""
    known = {one.fingerprint for one in (master, *master.others)}
    used = await connection.fetch(statement("fingerprints", _PACKAGE))
    if not {row[0] for row in used} <= known:
        raise UnknownKey(_MISSING)
    keys = await _page(connection, "api_keys_page", UUID(int=0), None)
    if not all(any(opens(one, *row) for one in (master, *master.others)) for row in keys):
        raise UnknownKey(_MISSING)


async def _keep_subkeys(connection: Connection, master: MasterKey) -> None:
    """First of all: from here on the hashes no longer hang on the old key."""
    for purpose, subkey in (await kept_subkeys(connection, master)).items():
        master.adopt(purpose, subkey)
        sealed = master.seal(SEALED_AS, subkey, purpose.encode())
        await connection.execute(statement("keep_subkey", _PACKAGE), purpose, sealed)


async def _booking_keys(
    connection: Connection, master: MasterKey, tell: Callable[[int], None]
) -> int:
    count, after = 0, UUID(int=0)
    while rows := await _page(connection, "foreign_keys_page", after, master.fingerprint, BATCH):
        anew = [master.wrap(master.unwrap(row[0], row[1])) for row in rows]
        count += await _replace(connection, "rewrap_keys", rows, anew)
        after = rows[-1][0]
        tell(len(rows))
    return count


async def _sealed(connection: Connection, master: MasterKey, what: Sealed) -> int:
    count, after, own = 0, UUID(int=0), master.alone()
    while rows := await _page(connection, f"{what.name}_page", after, BATCH):
        foreign = [row for row in rows if not _opens(own, what, *row)]
        anew = [_again(master, what, *row) for row in foreign]
        count += await _replace(connection, f"reseal_{what.name}", foreign, anew)
        after = rows[-1][0]
    return count


def _again(master: MasterKey, what: Sealed, name: UUID, stored: bytes) -> bytes:
    prefix, sealed = stored[: what.prefix], stored[what.prefix :]
    plain = master.open(what.purpose, sealed, name.bytes)
    return prefix + master.seal(what.purpose, plain, name.bytes)


def _opens(own: MasterKey, what: Sealed, name: UUID, stored: bytes) -> bool:
    try:
        own.open(what.purpose, stored[what.prefix :], name.bytes)
    except Unreadable:
        return False
    return True


async def _page(connection: Connection, name: str, *arguments: object) -> Sequence[Any]:
    return await connection.fetch(statement(name, _PACKAGE), *arguments)


async def _replace(
    connection: Connection, name: str, rows: Sequence[Any], anew: Sequence[bytes]
) -> int:
    """Puts the new in the place of exactly what was read; how many were."""
    if not rows:
        return 0
    ids, old = [row[0] for row in rows], [row[1] for row in rows]
    changed = await connection.fetch(statement(name, _PACKAGE), ids, old, list(anew))
    return len(changed)
