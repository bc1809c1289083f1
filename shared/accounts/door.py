"""Key ring of a process: all API keys, but no demo key where others can reach the port.

Everybody knows the demo key. Where it is taken, it is taken of callers that name this machine alone
(shared/http/requests/local_names.py). A database that `make run` filled may be served to the world
later: its demo key then opens nothing and signs nothing, and the log says so once at the start.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Mapping, Sequence
from uuid import UUID

from shared.accounts.demo import is_loopback
from shared.accounts.keyring import FoundKey, KeyRing, KeySource
from shared.accounts.keys import SigningKey, hash_key
from shared.accounts.postgres import PostgresKeySource
from shared.eventlog.privacy import MasterKey
from shared.runtime.postgres import Pool
from shared.runtime.settings import PUBLISHED_DEMO_KEY, Settings

_log = logging.getLogger(__name__)


async def ring_at(
    listener: socket.socket,
    pool: Pool,
    master: MasterKey,
    settings: Settings,
) -> KeyRing:
    """The key ring of a process that listens there."""
    source = PostgresKeySource(pool, master)
    host = _host(listener)
    texts = {PUBLISHED_DEMO_KEY, settings.demo_key.get_secret_value()}
    if is_loopback(host):
        return KeyRing(source, master, published=texts)
    hashes = [hash_key(master, text) for text in texts]
    for found in (await source.identify(hashes)).values():
        _log.warning(
            "the demo key is refused, as others can reach %s: make a key of your own with "
            "`seatledger keys create`, and end this one with `seatledger keys revoke %s`",
            *(host, found.identity.key_id),
        )
    return KeyRing(WithoutKeys(source, master, hashes), master)


class WithoutKeys:
    """A source that does not know some keys, whatever it holds."""

    def __init__(self, source: KeySource, master: MasterKey, hashes: Sequence[bytes]) -> None:
        self._source = source
        self._master = master
        self._hashes = frozenset(hashes)

    async def identify(self, key_hashes: Sequence[bytes]) -> Mapping[bytes, FoundKey]:
        found = await self._source.identify(key_hashes)
        return {one: key for one, key in found.items() if one not in self._hashes}

    async def signing_keys(self, app_id: UUID) -> tuple[SigningKey, ...]:
        keys = await self._source.signing_keys(app_id)
        return tuple(key for key in keys if self._hash(key) not in self._hashes)

    def _hash(self, key: SigningKey) -> bytes:
        return hash_key(self._master, key.text.decode("utf-8", "surrogatepass"))


def _host(listener: socket.socket) -> str:
    """The address that it listens on; a socket that is a file is as near as loopback."""
    if listener.family not in (socket.AF_INET, socket.AF_INET6):
        return "localhost"
    host: str = listener.getsockname()[0]
    return host
