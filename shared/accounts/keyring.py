"""Cache of API keys: finds a key's app without a database round trip, and forgets in 5 seconds.

A revoked or expired key is refused at most CACHE_SECONDS later. Answers are kept for a digest
under a random key of this process, so that the cache holds no key and look-ups leak nothing by
their time. Unknown keys have a room of their own: guessing cannot push good keys out.
"""

from __future__ import annotations

import asyncio
import hmac
import os
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import NamedTuple, Protocol, TypeVar
from uuid import UUID

from shared.accounts.keys import MAX_KEY_CHARACTERS, Identity, SigningKey, hash_key
from shared.eventlog.privacy import MasterKey

CACHE_SECONDS = 5.0
MAX_KNOWN = 10_000
MAX_UNKNOWN = 10_000
_DIGEST_BYTES = 16
_K = TypeVar("_K")
_V = TypeVar("_V")


@dataclass(frozen=True, slots=True)
class FoundKey:
    """A key that holds now, for `seconds_left` more (None: until revoked)."""

    key_hash: bytes
    identity: Identity
    seconds_left: float | None


class KeySource(Protocol):
    """Where keys are kept."""

    async def identify(self, key_hashes: Sequence[bytes]) -> Mapping[bytes, FoundKey]: ...

    async def signing_keys(self, app_id: UUID) -> tuple[SigningKey, ...]: ...


class _Entry(NamedTuple):
    until: float
    identity: Identity | None
    ends_at: float | None = None


@dataclass(frozen=True, slots=True)
class HeldKey:
    """A key whose holder stays connected: asked again, as long as the connection lasts."""

    ring: KeyRing
    key: str = field(repr=False)
    ends_at: float | None

    async def why_ended(self) -> str | None:
        """Why the key opens nothing any more, as its holder is told; None while it holds."""
        if await self.ring.identify(self.key) is not None:
            return None
        has_expired = self.ends_at is not None and self.ring.now() >= self.ends_at
        return "key expired" if has_expired else "key revoked"


class KeyRing:
    """Identities by key, and signing keys by app, each kept for at most CACHE_SECONDS."""

    def __init__(
        self,
        source: KeySource,
        master: MasterKey,
        clock: Callable[[], float] = time.monotonic,
        published: Collection[str] = (),
    ) -> None:
        self._source = source
        self._master = master
        self.now = clock
        self._clock = clock
        self._published = frozenset(published)
        self._digest_key = os.urandom(32)
        self._known: dict[bytes, _Entry] = {}
        self._unknown: dict[bytes, _Entry] = {}
        self._signing: dict[UUID, tuple[float, tuple[SigningKey, ...]]] = {}
        self._in_flight: dict[bytes, asyncio.Task[Identity | None]] = {}

    async def identify(self, key: str) -> Identity | None:
        """Whose key this is, or None when it is nobody's (any more)."""
        if len(key) > MAX_KEY_CHARACTERS:
            return None
        digest = self._digest(key)
        entry = self._known.get(digest) or self._unknown.get(digest)
        if entry is not None and entry.until > self._clock():
            return entry.identity
        return await self._shared_look_up(digest, key)

    def is_published(self, key: str) -> bool:
        """Whether everybody knows this key: it is for callers of this machine alone."""
        return key in self._published

    def held(self, key: str) -> HeldKey:
        """A key that was identified just now, for as long as its holder stays."""
        entry = self._known.get(self._digest(key))
        return HeldKey(self, key, None if entry is None else entry.ends_at)

    def holds_until(self, key: str) -> float:
        """Until when (by the clock) `identify` will give the same answer, if it is somebody's."""
        entry = self._known.get(self._digest(key))
        return 0.0 if entry is None else entry.until

    async def signing_keys(self, app_id: UUID) -> tuple[SigningKey, ...]:
        """The keys that may sign an app's action links, the newest first."""
        kept = self._signing.get(app_id)
        if kept is not None and kept[0] > self._clock():
            return kept[1]
        asked_at = self._clock()
        keys = await self._source.signing_keys(app_id)
        _keep(self._signing, app_id, (asked_at + CACHE_SECONDS, keys), MAX_KNOWN)
        return keys

    def _digest(self, key: str) -> bytes:
        text = key.encode("utf-8", "surrogatepass")
        return blake2b(text, digest_size=_DIGEST_BYTES, key=self._digest_key).digest()

    async def _shared_look_up(self, digest: bytes, key: str) -> Identity | None:
        """One look-up a key at a time; a caller that leaves does not take it from the others."""
        task = self._in_flight.get(digest)
        if task is None:
            task = asyncio.create_task(self._look_up(digest, key))
            self._in_flight[digest] = task
            task.add_done_callback(lambda done: self._landed(digest, done))
        return await asyncio.shield(task)

    def _landed(self, digest: bytes, task: asyncio.Task[Identity | None]) -> None:
        self._in_flight.pop(digest, None)
        if not task.cancelled():
            task.exception()  # seen, also when every caller has left

    async def _look_up(self, digest: bytes, key: str) -> Identity | None:
        asked_at = self._clock()
        wanted = hash_key(self._master, key)
        found = (await self._source.identify((wanted,))).get(wanted)
        if found is None or not hmac.compare_digest(found.key_hash, wanted):
            self._known.pop(digest, None)
            _keep(self._unknown, digest, _Entry(asked_at + CACHE_SECONDS, None), MAX_UNKNOWN)
            return None
        self._unknown.pop(digest, None)
        left = CACHE_SECONDS if found.seconds_left is None else found.seconds_left
        until = asked_at + min(left, CACHE_SECONDS)
        ends_at = None if found.seconds_left is None else asked_at + found.seconds_left
        _keep(self._known, digest, _Entry(until, found.identity, ends_at), MAX_KNOWN)
        return found.identity


def _keep(room: dict[_K, _V], key: _K, value: _V, limit: int) -> None:
    """Puts the newest last and drops the oldest past the limit."""
    room.pop(key, None)
    room[key] = value
    if len(room) > limit:
        del room[next(iter(room))]
