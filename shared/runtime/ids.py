"""UUID generation, random and derived, at a fraction of the standard library's cost.

They are `uuid.UUID`s to everyone: the driver's own, built in C. Randomness is the system's, drawn
by the page; no byte of it is given twice, and no child process inherits any.
"""

from __future__ import annotations

import hashlib
import os
from time import time_ns
from uuid import UUID

from asyncpg.pgproto.pgproto import UUID as _FastUUID

PAGE_BYTES = 4096


class _Randomness:
    """Bytes of `os.urandom`, a page at a time. A child process that was forked starts afresh."""

    def __init__(self) -> None:
        self.forget()
        os.register_at_fork(after_in_child=self.forget)

    def forget(self) -> None:
        self._page, self._at = b"", PAGE_BYTES

    def take(self, count: int) -> bytes:
        at = self._at
        if count > PAGE_BYTES:
            return os.urandom(count)
        if at + count > PAGE_BYTES:
            self._page, at = os.urandom(PAGE_BYTES), 0
        self._at = at + count
        return self._page[at : at + count]


_randomness = _Randomness()
random_bytes = _randomness.take
"""`random_bytes(count)`: for keys, nonces and ids alike."""


def new_id() -> UUID:
    """A UUIDv7 (RFC 9562): 48 bits of milliseconds, 74 random ones. Ids that are made one after
    another lie side by side in an index, which spares the ledger a fifth of its writing."""
    return _versioned((time_ns() // 1_000_000).to_bytes(6, "big") + random_bytes(10), 0x70)


def derived_id(namespace: UUID, name: str) -> UUID:
    """As `uuid.uuid5(namespace, name)`."""
    digest = hashlib.sha1(namespace.bytes + name.encode(), usedforsecurity=False).digest()
    return _versioned(digest[:16], 0x50)


def parsed_id(text: str) -> UUID:
    """As `uuid.UUID(text)`; ValueError when it is none."""
    parsed: UUID = _FastUUID(text)
    return parsed


def id_of(octets: bytes) -> UUID:
    """As `uuid.UUID(bytes=octets)`."""
    made: UUID = _FastUUID(octets)
    return made


def _versioned(value: bytes, version: int) -> UUID:
    octets = bytearray(value)
    octets[6] = octets[6] & 0x0F | version
    octets[8] = octets[8] & 0x3F | 0x80
    made: UUID = _FastUUID(bytes(octets))
    return made
