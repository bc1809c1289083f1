"""Crypto-shredding: personal data is encrypted per booking; destroying the key erases the person.

AES-256-GCM throughout. A booking's key is wrapped by the master key; associated data binds a
sealed text to its booking and field, so that none can be moved to another row (decision 0009).
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from contextlib import suppress
from typing import Protocol
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from shared.domain.mailbox_address import folded, mailbox
from shared.runtime.ids import random_bytes

KEY_BYTES = 32
NONCE_BYTES = 12
FINGERPRINT_BYTES = 4
_REPLACES = b"\x01"
REF_BYTES = 16
MAILBOX_RULE = b"\x02"
"""The last byte of a `customer_ref` of a mailbox; one without it is of a case-folded address."""


class Unreadable(Exception):
    """The text cannot be opened: another key sealed it, it was changed, or its key is destroyed."""


def _seal(cipher: AESGCM, plaintext: bytes, associated: bytes) -> bytes:
    nonce = random_bytes(NONCE_BYTES)
    return nonce + cipher.encrypt(nonce, plaintext, associated)


def _open(cipher: AESGCM, sealed: bytes, associated: bytes) -> bytes:
    try:
        return cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], associated)
    except (InvalidTag, ValueError):
        raise Unreadable from None


class BookingKey:
    """The key of one booking: seals and opens its fields.

    `replaces`: another key was destroyed in its favour; what that one sealed is erased.
    """

    __slots__ = ("_cipher", "booking_id", "raw", "replaces")

    def __init__(self, booking_id: UUID, raw: bytes, replaces: bool = False) -> None:
        self.booking_id = booking_id
        self.raw = raw
        self.replaces = replaces
        self._cipher = AESGCM(raw)

    def __repr__(self) -> str:
        return f"BookingKey({self.booking_id})"

    @classmethod
    def new(cls, booking_id: UUID, replaces: bool = False) -> BookingKey:
        return cls(booking_id, random_bytes(KEY_BYTES), replaces)

    def seal(self, field: str, plaintext: bytes) -> bytes:
        """Sealed `plaintext`, bound to this booking and to `field`."""
        return _seal(self._cipher, plaintext, self.booking_id.bytes + field.encode())

    def open(self, field: str, sealed: bytes) -> bytes:
        """What `seal` was given; Unreadable if it was not sealed by this key for this field."""
        return _open(self._cipher, sealed, self.booking_id.bytes + field.encode())

    def read(self, field: str, sealed: bytes) -> bytes | None:
        """As `open`, but None for what a key sealed that this one replaces."""
        try:
            return self.open(field, sealed)
        except Unreadable:
            if self.replaces:
                return None
            raise


class MasterKey:
    """The installation's key: wraps booking keys and derives one subkey for each other purpose.

    `others` open what they once sealed, and seal nothing: while one key takes another's place.
    """

    def __init__(self, key: bytes, *others: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise ValueError(f"a master key has {KEY_BYTES} bytes")
        self._key = key
        self.others = tuple(MasterKey(other) for other in others)
        self._subkeys: dict[str, bytes] = {}
        self._ciphers: dict[str, AESGCM] = {}
        self.fingerprint = self._subkey("fingerprint")[:FINGERPRINT_BYTES]

    def __repr__(self) -> str:
        return f"MasterKey({self.fingerprint.hex()})"

    def wrap(self, key: BookingKey) -> bytes:
        """The booking's key as it is stored: this master key's fingerprint, then the sealed key."""
        raw = key.raw + _REPLACES if key.replaces else key.raw
        return self.fingerprint + _seal(self._cipher("wrap"), raw, key.booking_id.bytes)

    def unwrap(self, booking_id: UUID, wrapped: bytes) -> BookingKey:
        """The booking's key; Unreadable when another master key wrapped it."""
        if self.others and not self.has_wrapped(wrapped):
            for other in self.others:
                if other.has_wrapped(wrapped):
                    return other.unwrap(booking_id, wrapped)
        raw = _open(self._cipher("wrap"), wrapped[FINGERPRINT_BYTES:], booking_id.bytes)
        return BookingKey(booking_id, raw[:KEY_BYTES], raw[KEY_BYTES:] == _REPLACES)

    def has_wrapped(self, wrapped: bytes) -> bool:
        """Whether this key wrapped it, by its fingerprint."""
        return wrapped[:FINGERPRINT_BYTES] == self.fingerprint

    def alone(self) -> MasterKey:
        """This key without the others."""
        return MasterKey(self._key)

    def subkey(self, purpose: str) -> bytes:
        """The key behind `keyed_hash`, to be kept when the master key is replaced."""
        return self._subkey(purpose)

    def adopt(self, purpose: str, subkey: bytes) -> None:
        """Use a kept subkey instead of this key's own: its hashes stay the same for ever."""
        self._subkeys[purpose] = subkey

    def keyed_hash(self, purpose: str, data: bytes) -> bytes:
        """32 bytes, HMAC-SHA256 under the subkey for `purpose`: the same data always gives them."""
        return hmac.digest(self._subkey(purpose), data, hashlib.sha256)

    def seal(self, purpose: str, plaintext: bytes, associated: bytes = b"") -> bytes:
        """Sealed `plaintext`, for what belongs to no booking."""
        return _seal(self._cipher(purpose), plaintext, associated)

    def open(self, purpose: str, sealed: bytes, associated: bytes = b"") -> bytes:
        """What `seal` was given; Unreadable otherwise."""
        for other in self.others:
            with suppress(Unreadable):
                return other.open(purpose, sealed, associated)
        return _open(self._cipher(purpose), sealed, associated)

    def _subkey(self, purpose: str) -> bytes:
        known = self._subkeys.get(purpose)
        if known is None:
            known = HKDFExpand(SHA256(), KEY_BYTES, b"seatledger " + purpose.encode()).derive(
                self._key
            )
            self._subkeys[purpose] = known
        return known

    def _cipher(self, purpose: str) -> AESGCM:
        known = self._ciphers.get(purpose)
        if known is None:
            known = self._ciphers[purpose] = AESGCM(self._subkey(purpose))
        return known


def mailbox_hash(master: MasterKey, email: str) -> bytes:
    """16 bytes that stand for a mailbox: the keyed hash by which people are found."""
    return _ref(master, mailbox(email))


def customer_ref(master: MasterKey, email: str) -> bytes:
    """17 bytes that stand for a customer: the keyed hash of the mailbox, then the rule's name.

    Code that knows the first rule alone cuts it to 16 (decision 0043).
    """
    return mailbox_hash(master, email) + MAILBOX_RULE


class Addressed(Protocol):
    """Somebody who may have an e-mail address."""

    @property
    def email(self) -> str | None: ...


def attendee_refs(master: MasterKey, attendees: Iterable[Addressed]) -> list[bytes]:
    """The hashes of the mailboxes that these attendees have, each once."""
    return list({mailbox_hash(master, one.email): None for one in attendees if one.email})


def first_rule_ref(master: MasterKey, email: str) -> bytes:
    """The 16 bytes that stood for a customer before decision 0043."""
    return _ref(master, folded(email))


def _ref(master: MasterKey, form: str) -> bytes:
    return master.keyed_hash("customer", form.encode(errors="surrogatepass"))[:REF_BYTES]
