"""Signed checkpoints of the ledger: who holds an old one can prove whether history was rewritten.

The text is a C2SP signed note with a checkpoint body: origin, size, RFC 9162 root, and as an
extension the chain's hash. The signing key (Ed25519) is derived from the master key.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from shared.eventlog.privacy import MasterKey

ORIGIN = "seatledger"
_ED25519 = b"\x01"
_SIGNATURE = f"— {ORIGIN} "
_KEY_ID_BYTES = 4


class BadCheckpoint(Exception):
    """The text is no checkpoint, or not signed by that key."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The ledger up to `size` events, in two hashes."""

    size: int
    root: bytes
    chain_hash: bytes

    def body(self) -> str:
        root = base64.b64encode(self.root).decode()
        return f"{ORIGIN}\n{self.size}\n{root}\nchain {self.chain_hash.hex()}\n"


class VerificationKey:
    """The public half, as it is published: `seatledger+<id>+<base64>`."""

    def __init__(self, public: bytes) -> None:
        self.public = public
        self.key_id = sha256(ORIGIN.encode() + b"\n" + _ED25519 + public).digest()[:_KEY_ID_BYTES]

    def __str__(self) -> str:
        return f"{ORIGIN}+{self.key_id.hex()}+{base64.b64encode(_ED25519 + self.public).decode()}"

    @classmethod
    def parse(cls, text: str) -> VerificationKey:
        """The key itself; BadCheckpoint when the text is none of ours."""
        try:
            origin, key_id, encoded = text.strip().split("+", 2)
            raw = base64.b64decode(encoded, validate=True)
        except (ValueError, binascii.Error):
            raise BadCheckpoint(f"{text!r} is no verification key") from None
        key = cls(raw[1:])
        if origin != ORIGIN or raw[:1] != _ED25519 or key.key_id.hex() != key_id:
            raise BadCheckpoint(f"{text!r} is no verification key of a Seatledger")
        return key

    def verifies(self, signed: bytes, signature: bytes) -> bool:
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, signed)
        except (InvalidSignature, ValueError):
            return False
        return True


class CheckpointSigner:
    """Signs checkpoints with the installation's key."""

    def __init__(self, master: MasterKey) -> None:
        seed = master.keyed_hash("checkpoint signing key", b"ed25519")
        self._private = Ed25519PrivateKey.from_private_bytes(seed)
        self.key = VerificationKey(self._private.public_key().public_bytes_raw())

    def sign(self, checkpoint: Checkpoint) -> str:
        """The checkpoint's text, signed."""
        body = checkpoint.body()
        raw = self.key.key_id + self._private.sign(body.encode())
        return f"{body}\n{_SIGNATURE}{base64.b64encode(raw).decode()}\n"


def open_checkpoint(text: str, key: VerificationKey) -> Checkpoint:
    """What the text says; BadCheckpoint unless `key` signed it."""
    if not is_signed_by(text, key):
        raise BadCheckpoint(f"the checkpoint is not signed by {key}")
    return _parse(text.partition("\n\n")[0])


def is_signed_by(text: str, key: VerificationKey) -> bool:
    """Whether one of the signatures is that key's."""
    body, _, signatures = text.partition("\n\n")
    signed = (body + "\n").encode()
    raws = [_signature(line) for line in signatures.splitlines()]
    return any(
        raw[:_KEY_ID_BYTES] == key.key_id and key.verifies(signed, raw[_KEY_ID_BYTES:])
        for raw in raws
    )


def _signature(line: str) -> bytes:
    if not line.startswith(_SIGNATURE):
        return b""
    try:
        return base64.b64decode(line.removeprefix(_SIGNATURE), validate=True)
    except binascii.Error:
        return b""


def _parse(body: str) -> Checkpoint:
    try:
        origin, size, root, chain = body.split("\n")
        name, chain_hash = chain.split(" ")
        parsed = Checkpoint(int(size), base64.b64decode(root), bytes.fromhex(chain_hash))
    except (ValueError, binascii.Error):
        raise BadCheckpoint("the text is no checkpoint") from None
    if origin != ORIGIN or name != "chain" or parsed.body() != body + "\n":
        raise BadCheckpoint("the text is no checkpoint of a Seatledger")
    return parsed
