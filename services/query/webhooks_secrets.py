"""Webhook secrets: kept sealed under the master key, and what a body's signature is made with.

While a secret is replaced, the one before it signs too, in a header of its own.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from uuid import UUID

from shared.eventlog.privacy import MasterKey

SEAL_PURPOSE = "webhook secret"
SIGNATURE = "x-timekit-signature"
PREVIOUS_SIGNATURE = "x-timekit-signature-previous"
_RANDOM_BYTES = 32


def new_secret() -> str:
    """A secret for whoever gave none."""
    return secrets.token_hex(_RANDOM_BYTES)


def seal_secret(master: MasterKey, webhook_id: UUID, secret: str) -> bytes:
    """The secret as it is stored: bound to its webhook."""
    return master.seal(SEAL_PURPOSE, secret.encode(), webhook_id.bytes)


def signatures(
    master: MasterKey, webhook_id: UUID, body: bytes, sealed: bytes, previous: bytes | None
) -> Mapping[str, str]:
    """The headers that prove who sent the body; Unreadable under another master key."""
    headers = {SIGNATURE: _signature(master, webhook_id, sealed, body)}
    if previous is not None:
        headers[PREVIOUS_SIGNATURE] = _signature(master, webhook_id, previous, body)
    return headers


def _signature(master: MasterKey, webhook_id: UUID, sealed: bytes, body: bytes) -> str:
    secret = master.open(SEAL_PURPOSE, sealed, webhook_id.bytes)
    return hmac.new(secret, body, hashlib.sha256).hexdigest()
