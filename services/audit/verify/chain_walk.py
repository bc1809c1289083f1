"""Check of the hash chain in log order: dense positions, versions 1..n in each group, every hash.

It ends at the first bad position, because what follows one proves nothing.
"""

from __future__ import annotations

from hashlib import sha256
from struct import Struct, error
from uuid import UUID

from services.audit.copy_format import (
    EPOCH_MICROSECONDS,
    HASH_BYTES,
    HEAD_BYTES,
    IDS_BYTES,
    LEAF_AT,
    METADATA_AT,
    canonical,
    compact,
    rows_in,
    unpack_head,
    unpack_length,
)
from services.audit.findings import Broken, Finding
from shared.eventlog.chain import GENESIS

_NEVER_APPENDED = (AttributeError, TypeError, ValueError, OverflowError, error)
_pack_place = Struct(">qq").pack


class ChainWalk:
    """Feed it the chunks of `log_copy.sql` after `position`, where the chain's hash is `hash`.

    A hash of None, where nobody knows it, excuses the first row. Versions can be counted from
    position 0 on only, and take a number a group.
    """

    def __init__(
        self, position: int = 0, hash: bytes | None = GENESIS, with_versions: bool = True
    ) -> None:
        self.position = position
        self.hash = hash
        self.hashes: list[bytes] = []
        self._versions: dict[bytes, int] | None = {} if with_versions else None

    def look(self, chunk: bytes) -> int:
        """How many rows there were, whose hashes are `hashes` now; Broken at the first bad one."""
        versions, previous, expected = self._versions, self.hash, self.position
        self.hashes = hashes = []
        at, end = rows_in(chunk)
        while at < end:
            head = unpack_head(chunk, at)
            _, _, position, _, time, size, stored, _, group, _, version, topic = head
            expected += 1
            if position != expected:
                raise Broken(_gap(expected, position))
            if versions is not None:
                if version != versions.get(group, 0) + 1:
                    raise Broken(_skipped(position, group, versions.get(group, 0) + 1, version))
                versions[group] = version
            if size != HASH_BYTES:  # and nothing behind it is where it should be
                raise Broken(_unlinked(position, group))
            ids = at + HEAD_BYTES + topic
            ids += 4 + unpack_length(chunk, ids)[0]
            who = ids + IDS_BYTES
            following = who + 4 + unpack_length(chunk, who)[0]
            if previous is not None and not _is_linked(
                *(previous, position, time, chunk[at + LEAF_AT : who]),
                *(chunk[who + METADATA_AT : following], stored),
            ):
                raise Broken(_unlinked(position, group))
            hashes.append(stored)
            previous, at = stored, following
        self.hash, self.position = previous, expected
        return len(hashes)


def _is_linked(
    previous: bytes, position: int, time: int, fields: bytes, metadata: bytes, stored: bytes
) -> bool:
    """Whether the stored hash follows from the one before and from all of the event."""
    try:
        place = _pack_place(position, time + EPOCH_MICROSECONDS)
        return stored == _hash(previous, place, fields, compact(metadata)) or stored == _hash(
            previous, place, fields, canonical(metadata)
        )
    except _NEVER_APPENDED:
        return False


def _hash(previous: bytes, place: bytes, fields: bytes, who: bytes) -> bytes:
    """As `shared.eventlog.chain` makes it, of a leaf's fields that lie ready."""
    leaf = sha256(fields + len(who).to_bytes(4, "big") + who).digest()
    return sha256(previous + place + leaf).digest()


def _gap(expected: int, position: int) -> Finding:
    return Finding(
        "positions", expected, f"there is no event at this position; the next is at {position}"
    )


def _skipped(position: int, group: bytes, expected: int, version: int) -> Finding:
    sentence = f"the group's version {expected} should be here, version {version} is"
    return Finding("versions", position, sentence, UUID(bytes=group))


def _unlinked(position: int, group: bytes) -> Finding:
    sentence = "the hash does not follow from this event and the one before: one was changed"
    return Finding("chain", position, sentence, UUID(bytes=group))
