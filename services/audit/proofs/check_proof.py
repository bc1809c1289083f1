"""Checks a Seatledger proof offline: needs this file, Python and the `cryptography` package.

python check_proof.py PROOF.json VERIFICATION_KEY

A proof of events says: this is the event, and the checkpoint that the operator signed counts it
in. A proof of consistency says: the newer signed checkpoint continues the older one unchanged.
"""

from __future__ import annotations

import json
import struct
import sys
from base64 import b64decode
from hashlib import sha256
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


def need(holds: bool, sentence: str) -> None:
    """Ends with status 1 and the sentence unless it holds."""
    if not holds:
        sys.exit(f"does not hold: {sentence}")


def signed_tree(note: str, key: str) -> tuple[int, bytes]:
    """Size and root that the note names; raises when `key` did not sign it."""
    body, _, signatures = note.partition("\n\n")
    name, key_id, public = key.strip().split("+", 2)
    mine = [line for line in signatures.splitlines() if line.startswith(f"— {name} ")]
    need(len(mine) == 1, "not signed by this Seatledger")
    raw = b64decode(mine[0].rpartition(" ")[2])
    need(raw[:4].hex() == key_id, "signed by another key")
    signer = public_key(name, key_id, b64decode(public))
    try:
        signer.verify(raw[4:], f"{body}\n".encode())
    except InvalidSignature:
        need(False, "the signature is not that key's")
    _, size, root, *_ = body.split("\n")
    return int(size), b64decode(root)


def public_key(name: str, key_id: str, typed: bytes) -> Ed25519PublicKey:
    """The key behind its type byte; its id must be made of it, and of its name."""
    need(len(typed) == 33 and typed[:1] == b"\x01", "the verification key is no Ed25519 key")
    need(sha256(name.encode() + b"\n" + typed).hexdigest()[:8] == key_id, "the key's id is not its")
    return Ed25519PublicKey.from_public_bytes(typed[1:])


def event_hash(event: dict[str, Any]) -> bytes:
    """The event's place in the hash chain, from everything it is made of."""
    fields = (
        UUID(event["group_id"]).bytes,
        event["version"].to_bytes(8, "big"),
        event["topic"].encode(),
        b64decode(event["state"]),
        UUID(event["event_id"]).bytes,
        UUID(event["booking_id"]).bytes,
        event["metadata"].encode(),
    )
    leaf = sha256(b"".join(struct.pack(">I", len(f)) + f for f in fields)).digest()
    place = struct.pack(">qq", event["position"], event["recorded_at_microseconds"])
    return sha256(b64decode(event["previous_hash"]) + place + leaf).digest()


def climb(place: int, last: int, roots: tuple[bytes, ...], proof: list[bytes]) -> tuple[bytes, ...]:
    """RFC 9162 2.1.3.2 and 2.1.4.2: `roots` is (root,) or (old root, new root) on the way up."""
    for node in proof:
        need(last > 0, "the proof is too long")
        if place & 1 or place == last:
            roots = tuple(sha256(b"\x01" + node + root).digest() for root in roots)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            roots = (*roots[:-1], sha256(b"\x01" + roots[-1] + node).digest())
        place, last = place >> 1, last >> 1
    need(last == 0, "the proof is too short")
    return roots


def check_event(event: dict[str, Any], size: int, root: bytes) -> None:
    """Raises unless the event is in the tree."""
    need(0 < event["position"] <= size, "the checkpoint is older than the event")
    leaf = sha256(b"\x00" + event_hash(event)).digest()
    proof = [b64decode(node) for node in event["proof"]]
    need(climb(event["position"] - 1, size - 1, (leaf,), proof) == (root,), "not in the ledger")


def check_consistency(old: tuple[int, bytes], new: tuple[int, bytes], proof: list[bytes]) -> None:
    """Raises unless the new tree begins with the old one."""
    need(0 < old[0] <= new[0], "the newer checkpoint is the shorter one")
    if old[0] == new[0]:
        need(old[1] == new[1] and not proof, "the past was rewritten")
        return
    nodes = [old[1], *proof] if old[0] & (old[0] - 1) == 0 else proof
    place, last = old[0] - 1, new[0] - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    need(climb(place, last, (nodes[0], nodes[0]), nodes[1:]) == (old[1], new[1]), "rewritten")


def main(path: str, key: str) -> None:
    """Prints what was proved; any other end means that nothing was."""
    with open(path, encoding="utf-8") as file:
        proof = json.load(file)
    size, root = signed_tree(proof["checkpoint"], key)
    if "older_checkpoint" in proof:
        nodes = [b64decode(node) for node in proof["proof"]]
        check_consistency(signed_tree(proof["older_checkpoint"], key), (size, root), nodes)
        print("holds: the newer checkpoint continues the older one")
        return
    need(proof["events"], "the proof names no event")
    for event in proof["events"]:
        check_event(event, size, root)
        print(f"holds: {event['topic']} of {event['booking_id']} at position {event['position']}")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
