"""Replaces the master key: everything another key sealed is sealed anew, and the ledger stays.

Small batches, each row changed only if it is still what was read: the services go on meanwhile,
an erased person stays erased, and what was broken off goes on where it was (decision 0030).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias
from uuid import UUID

import asyncpg

from shared.eventlog.master_keys import API_KEY_SEALED_AS, SEALED_AS, kept_subkeys, opens
from shared.eventlog.privacy import MasterKey, Unreadable
from shared.eventlog.statements import statement

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
BATCH = 1_000
ANSWER_SEALED_AS = "answer"
_MISSING = "something was sealed by a master key that is not in SEATLEDGER_OTHER_MASTER_KEYS"
_PACKAGE = "services.audit"


class UnknownKey(Exception):
    """Something was sealed by a key that was not given."""


@dataclass(frozen=True, slots=True)
class Rotated:
    """How much was sealed anew."""

    booking_keys: int
    api_keys: int
    answers: int


async def rotate(connection: Connection, master: MasterKey, tell: Callable[[int], None]) -> Rotated:
    """Seals under `master` what its `others` sealed; UnknownKey when one of them is missing."""
    await _ensure_known(connection, master)
    await _keep_subkeys(connection, master)
    try:
        return Rotated(
            await _booking_keys(connection, master, tell),
            await _api_keys(connection, master),
            await _answers(connection, master),
        )
    except Unreadable:
        raise UnknownKey(_MISSING) from None


async def _ensure_known(connection: Connection, master: MasterKey) -> None:
    """Before anything is changed: no booking and no API key hangs on a key that is not given."""
    known = {one.fingerprint for one in (master, *master.others)}
    used = await connection.fetch(statement("fingerprints", _PACKAGE))
    if not {row[0] for row in used} <= known:
        raise UnknownKey(_MISSING)
    keys = await connection.fetch(statement("api_keys_page", _PACKAGE))
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


async def _api_keys(connection: Connection, master: MasterKey) -> int:
    rows = await connection.fetch(statement("api_keys_page", _PACKAGE))
    foreign = [row for row in rows if not opens(master, row[0], row[1])]
    anew = [_again(master, API_KEY_SEALED_AS, row[1], row[0]) for row in foreign]
    return await _replace(connection, "reseal_api_keys", foreign, anew)


async def _answers(connection: Connection, master: MasterKey) -> int:
    """Answers that no booking's key sealed; the first byte says so, and stays."""
    count, after, own = 0, UUID(int=0), master.alone()
    while rows := await _page(connection, "master_answers_page", after, BATCH):
        foreign = [row for row in rows if not _is_ours(own, row[1], row[0])]
        anew = [
            row[1][:1] + _again(master, ANSWER_SEALED_AS, row[1][1:], row[0]) for row in foreign
        ]
        count += await _replace(connection, "reseal_answers", foreign, anew)
        after = rows[-1][0]
    return count


def _again(master: MasterKey, purpose: str, sealed: bytes, name: UUID) -> bytes:
    return master.seal(purpose, master.open(purpose, sealed, name.bytes), name.bytes)


def _is_ours(own: MasterKey, answer: bytes, command_id: UUID) -> bool:
    try:
        own.open(ANSWER_SEALED_AS, answer[1:], command_id.bytes)
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
