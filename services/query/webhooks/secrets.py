"""Webhook secrets: kept sealed under the master key, and the signatures that are made with them.

Timekit's signature is over the body alone; beside it stands that of Standard Webhooks, over the
delivery's id, the time of this try and the body. While a secret is replaced, the old one signs too.
"""

from __future__ import annotations

import binascii
import hashlib
import hmac
import secrets
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from shared.eventlog.privacy import MasterKey

SEAL_PURPOSE = "webhook secret"
SIGNATURE = "x-timekit-signature"
PREVIOUS_SIGNATURE = "x-timekit-signature-previous"
STANDARD_PREFIX = "whsec_"
"""Before the base64 of a key, in a secret as Standard Webhooks writes it."""
_RANDOM_BYTES = 32


@dataclass(frozen=True, slots=True)
class Message:
    """What is signed: `sent_at` is the time of this try, in whole seconds since 1970."""

    webhook_id: UUID
    delivery_id: UUID
    sent_at: int
    body: bytes

    @property
    def dated(self) -> bytes:
        return f"{self.delivery_id}.{self.sent_at}.".encode() + self.body


def new_secret() -> str:
    """A secret for whoever gave none."""
    return STANDARD_PREFIX + b64encode(secrets.token_bytes(_RANDOM_BYTES)).decode()


def seal_secret(master: MasterKey, webhook_id: UUID, secret: str) -> bytes:
    """The secret as it is stored: bound to its webhook."""
    return master.seal(SEAL_PURPOSE, secret.encode(), webhook_id.bytes)


def signatures(
    master: MasterKey, message: Message, sealed: bytes, previous: bytes | None
) -> Mapping[str, str]:
    """The headers that prove who sent it, and when; Unreadable under another master key."""
    now = master.open(SEAL_PURPOSE, sealed, message.webhook_id.bytes)
    headers, dated = {SIGNATURE: _plain(now, message)}, [_dated(now, message)]
    if previous is not None:
        before = master.open(SEAL_PURPOSE, previous, message.webhook_id.bytes)
        headers[PREVIOUS_SIGNATURE] = _plain(before, message)
        dated.append(_dated(before, message))
    return {
        **headers,
        "webhook-id": str(message.delivery_id),
        "webhook-timestamp": str(message.sent_at),
        "webhook-signature": " ".join(dated),
    }


def _plain(secret: bytes, message: Message) -> str:
    return hmac.new(secret, message.body, hashlib.sha256).hexdigest()


def _dated(secret: bytes, message: Message) -> str:
    digest = hmac.new(_standard_key(secret), message.dated, hashlib.sha256).digest()
    return f"v1,{b64encode(digest).decode()}"


def _standard_key(secret: bytes) -> bytes:
    """What base64 behind the prefix says; a secret of another form is the key itself."""
    prefix, _, text = secret.partition(STANDARD_PREFIX.encode())
    if prefix or not text:
        return secret
    try:
        return b64decode(text, validate=True)
    except binascii.Error:
        return secret
