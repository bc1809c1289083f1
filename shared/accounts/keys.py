"""API keys: their format, and the hash under which one is stored (decision 0015)."""

from __future__ import annotations

import secrets
import string
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from uuid import UUID, uuid4

from shared.eventlog.privacy import MasterKey

KeyKind = Literal["server", "widget"]
KINDS: tuple[KeyKind, ...] = ("server", "widget")
RANDOM_CHARACTERS = 40
MAX_KEY_CHARACTERS = 200
_BASE62 = string.ascii_letters + string.digits
_HASH_PURPOSE = "api key hash"
_SEAL_PURPOSE = "api key"
_HINT_END = 4


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a request comes from, as its key says: the only thing that selects an app."""

    app_id: UUID
    key_id: UUID
    kind: KeyKind
    is_test: bool
    time_zone: str
    app_slug: str

    @property
    def is_public(self) -> bool:
        """Whether anyone can read the key from a booking page."""
        return self.kind == "widget"


@dataclass(frozen=True, slots=True)
class SealedKey:
    """A key as it is stored: nothing here gives its text without the master key."""

    key_id: UUID
    kind: KeyKind
    key_hash: bytes
    sealed_key: bytes
    hint: str


@dataclass(frozen=True, slots=True)
class KeyListing:
    """What an operator may see of a key."""

    key_id: UUID
    app_slug: str
    kind: KeyKind
    hint: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A server key's own text, which signs and checks action links; never printed."""

    key_id: UUID
    text: bytes = field(repr=False)


def new_key_text(kind: KeyKind, is_test: bool) -> str:
    """A fresh key, named by its kind: `live_api_key_…`, `test_widget_key_…`."""
    mode = "test" if is_test else "live"
    name = "api" if kind == "server" else "widget"
    random = "".join(secrets.choice(_BASE62) for _ in range(RANDOM_CHARACTERS))
    return f"{mode}_{name}_key_{random}"


def hash_key(master: MasterKey, text: str) -> bytes:
    """The keyed hash by which a key is found: useless without the master key."""
    return master.keyed_hash(_HASH_PURPOSE, text.encode("utf-8", "surrogatepass"))


def seal_key(master: MasterKey, kind: KeyKind, text: str) -> SealedKey:
    """The row to store for a key."""
    key_id = uuid4()
    sealed = master.seal(_SEAL_PURPOSE, text.encode(), key_id.bytes)
    return SealedKey(key_id, kind, hash_key(master, text), sealed, hint_of(text))


def open_key(master: MasterKey, key_id: UUID, sealed: bytes) -> SigningKey:
    """A stored key's text; Unreadable when another master key sealed it."""
    return SigningKey(key_id, master.open(_SEAL_PURPOSE, sealed, key_id.bytes))


def hint_of(text: str) -> str:
    """Enough of a long key to tell it from others, too little to guess it."""
    if len(text) < RANDOM_CHARACTERS:
        return "…"
    return f"{text[: text.rfind('_') + 1]}…{text[-_HINT_END:]}"
